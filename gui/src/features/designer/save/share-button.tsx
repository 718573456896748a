import { Share2 } from "lucide-react";
import { useState } from "react";
import { useSession } from "@/app/session";
import { ShareDialog } from "@/features/sharing/share-dialog";
import { useT } from "@/i18n/words";
import { Button } from "@/ui/button";
import { useDocument } from "../document/store";

/** Links to the saved preset on the canvas; for the owner of the engine, whose word opens them. */
export function ShareButton() {
  const t = useT();
  const preset = useDocument((state) => state.preset);
  const owned = useSession(({ engines, engineId }) => engines?.some(({ id }) => id === engineId) ?? false);
  const [open, setOpen] = useState(false);
  if (!owned) return null;
  return (
    <>
      <Button
        kind="quiet"
        size="icon"
        aria-label={t("sharing.menu")}
        title={t(preset === null ? "designer.saveToShare" : "sharing.menu")}
        disabled={preset === null}
        onClick={() => setOpen(true)}
      >
        <Share2 size={16} aria-hidden="true" />
      </Button>
      {open && preset !== null && <ShareDialog preset={preset} onClose={() => setOpen(false)} />}
    </>
  );
}
