import { Share2 } from "lucide-react";
import { useState } from "react";
import { useSession } from "@/app/session";
import { ShareDialog } from "@/features/sharing/share-dialog";
import { useT } from "@/i18n/words";
import { Badge } from "@/ui/badge";
import { Button } from "@/ui/button";
import { useDocument } from "../document/store";

/** Links to the saved preset on the canvas, for the engine's owner, whose word opens them; others see their role. */
export function ShareButton() {
  const t = useT();
  const preset = useDocument((state) => state.preset);
  const owned = useSession(({ engines, engineId }) => engines?.some(({ id }) => id === engineId) ?? false);
  const role = useSession(({ shared, engineId }) => shared.find(({ id }) => id === engineId)?.role);
  const [open, setOpen] = useState(false);
  // who cannot save should know before the work is done
  if (!owned && role && role !== "admin") {
    return (
      <span title={t(`sharing.role.${role}Text`)}>
        <Badge tone="warn">{t(`sharing.role.${role}`)}</Badge>
      </span>
    );
  }
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
