import { type FormEvent, useState } from "react";
import { sentenceOf } from "@/api/errors";
import { useSession } from "@/app/session";
import type { Engine } from "@/contract/contract.gen";
import { useT } from "@/i18n/words";
import { Button } from "@/ui/button";
import { Dialog } from "@/ui/dialog";
import { TextField } from "@/ui/field";

export const LONGEST_NAME = 80;

export function RenameDialog({ engine, onClose }: { engine: Engine; onClose(): void }) {
  const t = useT();
  const { rest, loadEngines } = useSession();
  const [name, setName] = useState(engine.name);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState("");

  async function submit(event: FormEvent) {
    event.preventDefault();
    setBusy(true);
    try {
      await rest.call("update_engine_name", { path: { engine_id: engine.id }, body: { name: name.trim() } });
      await loadEngines();
      onClose();
    } catch (error) {
      setProblem(sentenceOf(error));
      setBusy(false);
    }
  }

  return (
    <Dialog open onClose={onClose} title={t("engines.rename")}>
      <form className="stack" onSubmit={submit}>
        <TextField
          label={t("engines.name")}
          required
          maxLength={LONGEST_NAME}
          problem={problem}
          value={name}
          onChange={(event) => setName(event.target.value)}
        />
        <div className="dialog-actions">
          <Button onClick={onClose}>{t("common.cancel")}</Button>
          <Button kind="primary" type="submit" busy={busy} disabled={!name.trim()}>
            {t("common.save")}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
