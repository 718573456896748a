import { type FormEvent, useState } from "react";
import { FloworkError, sentenceOf } from "@/api/errors";
import { useLive } from "@/app/live";
import { useSession } from "@/app/session";
import type { TriggerItem } from "@/contract/contract.gen";
import { useT } from "@/i18n/words";
import { Notice } from "@/ui/badge";
import { Button } from "@/ui/button";
import { Dialog } from "@/ui/dialog";
import { SelectField, TextField } from "@/ui/field";
import { tell } from "@/ui/toasts";
import { KindFields } from "./kind-fields";
import { commandOf, type Draft, draftOf, KINDS } from "./rules";

const POLICIES = ["parallel", "single", "restart", "queue", "debounce"] as const;

interface Props {
  rule: TriggerItem | null;
  onSaved(): void;
  onClose(): void;
}

/** Makes a rule, or changes one. */
export function RuleDialog({ rule, onSaved, onClose }: Props) {
  const t = useT();
  const engine = useSession((state) => state.engine);
  const presets = useLive(async () => (await engine?.request("request_presets_list", {}))?.presets ?? [], []);
  const [draft, setDraft] = useState<Draft>(() => draftOf(rule));
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState("");
  const change = (part: Partial<Draft>) => setDraft((before) => ({ ...before, ...part }));
  const names = (presets.value ?? []).map(({ name }) => name);
  if (draft.preset && !names.includes(draft.preset)) names.unshift(draft.preset);

  async function submit(event: FormEvent) {
    event.preventDefault();
    if (!engine) return;
    setBusy(true);
    setProblem("");
    try {
      await engine.request("save_trigger", commandOf(draft, rule));
      tell(t("triggers.saved"), "good");
      onSaved();
      onClose();
    } catch (error) {
      setProblem(problemOf(error));
      setBusy(false);
    }
  }

  return (
    <Dialog open onClose={onClose} title={t(rule ? "triggers.editTitle" : "triggers.add")}>
      <form className="stack" onSubmit={(event) => void submit(event)}>
        <div className="trigger-pair">
          <SelectField
            label={t("triggers.preset")}
            value={draft.preset}
            options={[
              { value: "", label: t("settings.choose") },
              ...names.map((name) => ({ value: name, label: name })),
            ]}
            onChange={(preset) => change({ preset })}
          />
          <SelectField
            label={t("triggers.kind")}
            value={draft.kind}
            options={KINDS.map((kind) => ({ value: kind, label: t(`triggers.kind.${kind}`) }))}
            onChange={(kind) => change({ kind: kind as Draft["kind"] })}
          />
        </div>
        <TextField
          label={t("triggers.name")}
          hint={t("triggers.nameHint")}
          maxLength={200}
          value={draft.name}
          onChange={(event) => change({ name: event.target.value })}
        />
        <KindFields draft={draft} secretSet={rule?.secret_set ?? false} onChange={change} />
        <SelectField
          label={t("triggers.policy")}
          hint={t(`triggers.policy.${draft.policy as (typeof POLICIES)[number]}Text`)}
          value={draft.policy}
          options={POLICIES.map((kind) => ({ value: kind, label: t(`triggers.policy.${kind}`) }))}
          onChange={(policy) => change({ policy })}
        />
        {draft.policy === "debounce" && (
          <TextField
            label={t("triggers.quietSeconds")}
            type="number"
            min={0.1}
            max={86_400}
            step="any"
            required
            value={draft.seconds}
            onChange={(event) => change({ seconds: Number(event.target.value) })}
          />
        )}
        {presets.value?.length === 0 && <Notice tone="warn">{t("triggers.noPresets")}</Notice>}
        {problem && <Notice tone="bad">{problem}</Notice>}
        <div className="dialog-actions">
          <Button onClick={onClose}>{t("common.cancel")}</Button>
          <Button kind="primary" type="submit" busy={busy} disabled={!draft.preset}>
            {t("common.save")}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

/** What the engine finds wrong, with the member it is about. */
function problemOf(error: unknown): string {
  const details = error instanceof FloworkError ? error.details : null;
  const first: unknown = Array.isArray(details) ? details[0] : null;
  const said = first as { problem?: unknown } | null;
  return typeof said?.problem === "string" ? `${sentenceOf(error)} ${said.problem}` : sentenceOf(error);
}
