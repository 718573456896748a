import { shortAddress } from "@/crypto/address";
import { useT } from "@/i18n/words";
import { Button } from "@/ui/button";
import { Dialog } from "@/ui/dialog";
import { settle, useSave } from "./save";

/** Someone else saved meanwhile: say who and when, and let the person decide; nothing is lost by waiting. */
export function ConflictSheet() {
  const t = useT();
  const { conflict, busy } = useSave();
  const close = () => useSave.setState({ conflict: null });
  if (!conflict) return null;
  const who = conflict.author ? shortAddress(conflict.author) : "?";
  const at = conflict.timestamp ? new Date(conflict.timestamp).toLocaleString() : "?";
  return (
    <Dialog
      open
      onClose={close}
      title={t("designer.conflict")}
      about={t("designer.conflictAbout", { who, at, version: conflict.version })}
    >
      <p>{t("designer.conflictChoices")}</p>
      <div className="dialog-actions">
        <Button onClick={close}>{t("designer.cancel")}</Button>
        <Button onClick={() => void settle("reload")}>{t("designer.takeTheirs")}</Button>
        <Button kind="danger" busy={busy} onClick={() => void settle("overwrite")}>
          {t("designer.overwrite")}
        </Button>
        <Button kind="primary" onClick={() => void settle("merge")}>
          {t("designer.merge")}
        </Button>
      </div>
    </Dialog>
  );
}
