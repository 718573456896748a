import { useT } from "@/i18n/words";
import { Button } from "@/ui/button";
import { Dialog } from "@/ui/dialog";
import { StartLines } from "./start-lines";

interface Props {
  engineId: string;
  token: string;
  onClose(): void;
}

/** Shows a fresh token this once, with the lines that use it. */
export function TokenDialog({ engineId, token, onClose }: Props) {
  const t = useT();
  return (
    <Dialog open onClose={onClose} title={t("engines.newToken")}>
      <StartLines engineId={engineId} token={token} />
      <div className="dialog-actions">
        <Button kind="primary" onClick={onClose}>
          {t("engines.kept")}
        </Button>
      </div>
    </Dialog>
  );
}
