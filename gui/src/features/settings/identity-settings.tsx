import { Download, LogOut, Trash2 } from "lucide-react";
import { useState } from "react";
import { useSession } from "@/app/session";
import { sameAddress } from "@/crypto/address";
import { ExportDialog } from "@/features/identity/export-dialog";
import { useT } from "@/i18n/words";
import { Notice } from "@/ui/badge";
import { Button } from "@/ui/button";
import { Confirm } from "@/ui/confirm";
import { CopyButton } from "@/ui/copy";
import { forget, readStored } from "@/wallet/keystore";

/** Who is signed in, and the key of this browser: take it along, or remove it. */
export function IdentitySettings() {
  const t = useT();
  const { signer, signOut } = useSession();
  const [open, setOpen] = useState<"export" | "forget" | null>(null);
  if (!signer) return null;
  const stored = readStored();
  const ours = stored && sameAddress(stored.address, signer.address) ? stored : null;
  return (
    <>
      <div className="row">
        <span className="mono">{signer.address}</span>
        <CopyButton text={signer.address} label={t("identity.address")} compact />
      </div>
      {signer.delegation && <Notice>{t("identity.walletAsks")}</Notice>}
      <div className="row">
        {ours && (
          <Button onClick={() => setOpen("export")}>
            <Download size={16} aria-hidden="true" />
            {t("identity.export")}
          </Button>
        )}
        <Button onClick={signOut}>
          <LogOut size={16} aria-hidden="true" />
          {t("identity.signOut")}
        </Button>
        {ours && (
          <Button kind="danger" onClick={() => setOpen("forget")}>
            <Trash2 size={16} aria-hidden="true" />
            {t("identity.forget")}
          </Button>
        )}
      </div>
      {open === "export" && ours && <ExportDialog stored={ours} onClose={() => setOpen(null)} />}
      <Confirm
        open={open === "forget"}
        title={t("identity.forgetTitle")}
        action={t("identity.forget")}
        onClose={() => setOpen(null)}
        onConfirm={() => {
          forget();
          signOut();
        }}
      >
        <p>{t("identity.forgetText")}</p>
      </Confirm>
    </>
  );
}
