import { type FormEvent, useState } from "react";
import { sentenceOf } from "@/api/errors";
import { useSession } from "@/app/session";
import type { Engine } from "@/contract/contract.gen";
import { useT } from "@/i18n/words";
import { Button } from "@/ui/button";
import { Dialog } from "@/ui/dialog";
import { TextField } from "@/ui/field";
import { tell } from "@/ui/toasts";

/** Lets an installation that waits on another machine become this engine; the present one stops being it. */
export function TransferDialog({ engine, onClose }: { engine: Engine; onClose(): void }) {
  const t = useT();
  const rest = useSession((state) => state.rest);
  const [requestId, setRequestId] = useState("");
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState("");

  async function submit(event: FormEvent) {
    event.preventDefault();
    setBusy(true);
    try {
      await rest.call("select_for_auth", { body: { request_id: requestId.trim(), engine_id: engine.id } });
      tell(t("engines.transferred", { name: engine.name }), "good");
      onClose();
    } catch (error) {
      setProblem(sentenceOf(error));
      setBusy(false);
    }
  }

  return (
    <Dialog
      open
      onClose={onClose}
      title={t("engines.transferTitle", { name: engine.name })}
      about={t("engines.transferText")}
    >
      <form className="stack" onSubmit={(event) => void submit(event)}>
        <TextField
          label={t("engines.requestId")}
          hint={t("engines.requestIdHint")}
          required
          pattern="[A-Za-z0-9_\-]{16,128}"
          autoComplete="off"
          spellCheck={false}
          problem={problem}
          value={requestId}
          onChange={(event) => setRequestId(event.target.value)}
        />
        <div className="dialog-actions">
          <Button onClick={onClose}>{t("common.cancel")}</Button>
          <Button kind="primary" type="submit" busy={busy} disabled={!requestId.trim()}>
            {t("engines.transfer")}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
