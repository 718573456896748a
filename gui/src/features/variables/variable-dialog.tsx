import { type FormEvent, useState } from "react";
import { sentenceOf } from "@/api/errors";
import { useSession } from "@/app/session";
import type { Variable } from "@/contract/contract.gen";
import { useT } from "@/i18n/words";
import { Notice } from "@/ui/badge";
import { Button } from "@/ui/button";
import { Dialog } from "@/ui/dialog";
import { SelectField, TextArea, TextField } from "@/ui/field";
import { SwitchField } from "@/ui/switch";
import { type Draft, draftOf, type Mode, NAME, typedValue, writingOf } from "./values";

interface Props {
  variable: Variable | null;
  taken: string[];
  onChanged(variables: Variable[]): void;
  onClose(): void;
}

/** Makes or changes a variable; what a secret holds is written, never read. */
export function VariableDialog({ variable, taken, onChanged, onClose }: Props) {
  const t = useT();
  const engine = useSession((state) => state.engine);
  const [draft, setDraft] = useState<Draft>(() => draftOf(variable));
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState("");
  const change = (part: Partial<Draft>) => setDraft((before) => ({ ...before, ...part }));
  const keeps = variable?.is_secret === true && draft.text === "";
  const nameProblem =
    variable || draft.name === "" || NAME.test(draft.name)
      ? !variable && taken.includes(draft.name) && t("variables.nameTaken")
      : t("variables.nameWrong");

  async function submit(event: FormEvent) {
    event.preventDefault();
    if (nameProblem || !engine) return;
    setBusy(true);
    setProblem("");
    try {
      const value = keeps ? "" : typedValue(draft);
      const data = { value, is_secret: draft.secret, is_enabled: draft.enabled, mode: draft.mode };
      onChanged((await engine.request("update_variable", { name: draft.name, data })).variables);
      onClose();
    } catch (error) {
      setProblem(error instanceof SyntaxError ? t("variables.jsonWrong") : sentenceOf(error));
      setBusy(false);
    }
  }

  return (
    <Dialog
      open
      onClose={onClose}
      title={variable ? t("variables.editNamed", { name: variable.name }) : t("variables.add")}
    >
      <form className="stack" onSubmit={submit}>
        {!variable && (
          <TextField
            label={t("variables.name")}
            hint={t("variables.nameHint")}
            problem={nameProblem || null}
            required
            autoComplete="off"
            spellCheck={false}
            value={draft.name}
            onChange={(event) => change({ name: event.target.value.toUpperCase().replace(/[\s-]/g, "_") })}
          />
        )}
        <SelectField
          label={t("variables.mode")}
          value={draft.mode}
          options={(["single", "random", "sequential"] as const).map((mode) => ({
            value: mode,
            label: t(`variables.${mode}`),
          }))}
          onChange={(mode) => change({ mode: mode as Mode })}
        />
        <TextArea
          label={t(writingOf(draft) === "lines" ? "variables.values" : "variables.value")}
          hint={variable?.is_secret ? t("variables.secretHint") : undefined}
          required={!variable?.is_secret && draft.mode !== "single"}
          spellCheck={false}
          autoComplete="off"
          value={draft.text}
          onChange={(event) => change({ text: event.target.value })}
        />
        <SwitchField
          label={t("variables.json")}
          hint={t("variables.jsonHint")}
          checked={draft.json}
          onChange={(json) => change({ json })}
        />
        <SwitchField
          label={t("variables.secret")}
          hint={t("variables.secretAbout")}
          checked={draft.secret}
          onChange={(secret) => change({ secret })}
        />
        {problem && <Notice tone="bad">{problem}</Notice>}
        <div className="dialog-actions">
          <Button onClick={onClose}>{t("common.cancel")}</Button>
          <Button kind="primary" type="submit" busy={busy} disabled={Boolean(nameProblem)}>
            {t("common.save")}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
