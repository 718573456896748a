import { type FormEvent, useState } from "react";
import { sentenceOf } from "@/api/errors";
import { useSession } from "@/app/session";
import type { RegisteredEngine } from "@/contract/contract.gen";
import { useT } from "@/i18n/words";
import { Button } from "@/ui/button";
import { Dialog } from "@/ui/dialog";
import { TextField } from "@/ui/field";
import { tellError } from "@/ui/toasts";
import { LONGEST_NAME } from "./rename-dialog";
import { TokenDialog } from "./token-dialog";

/** Registers an engine and shows, this once, what to start it with. */
export function RegisterDialog({ onClose }: { onClose(): void }) {
  const t = useT();
  const { rest, loadEngines } = useSession();
  const [name, setName] = useState("");
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState("");
  const [made, setMade] = useState<RegisteredEngine | null>(null);

  async function submit(event: FormEvent) {
    event.preventDefault();
    setBusy(true);
    setProblem("");
    try {
      setMade(await rest.call("register_engine", { body: { name: name.trim() } }));
    } catch (error) {
      setProblem(sentenceOf(error));
      setBusy(false);
      return;
    }
    loadEngines().catch(tellError);
  }

  if (made) return <TokenDialog engineId={made.id} token={made.raw_token} onClose={onClose} />;
  return (
    <Dialog open onClose={onClose} title={t("engines.register")} about={t("engines.registerText")}>
      <form className="stack" onSubmit={submit}>
        <TextField
          label={t("engines.name")}
          hint={t("engines.nameHint")}
          required
          maxLength={LONGEST_NAME}
          problem={problem}
          value={name}
          onChange={(event) => setName(event.target.value)}
        />
        <div className="dialog-actions">
          <Button onClick={onClose}>{t("common.cancel")}</Button>
          <Button kind="primary" type="submit" busy={busy} disabled={!name.trim()}>
            {t("engines.register")}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
