import { useT } from "@/i18n/words";
import { SelectField, TextArea, TextField } from "@/ui/field";
import { loopOf, loopsFor, putInside } from "../document/bodies";
import { changeNode } from "../document/edits";
import { useDocument, useWorkflow } from "../document/store";
import type { WorkflowNode } from "../document/workflow";

/** The components whose inside is made of steps. */
const LOOPS = new Set(["for_each", "while_loop"]);
const RETRY = [
  ["attempts", 1, 1, 100],
  ["delay_seconds", 5, 0, 86_400],
  ["backoff", 2, 1, 10],
  ["max_delay_seconds", 300, 0, 86_400],
] as const;

/** What holds for a step whatever its component: retries, time limit, joining, notes. */
export function StepSettings({ node }: { node: WorkflowNode }) {
  const t = useT();
  const edit = useDocument((state) => state.edit);
  const change = (part: Partial<WorkflowNode>, kind: string) =>
    edit((workflow) => changeNode(workflow, node.id, part), `${node.id} ${kind}`);
  const retry = node.retry ?? null;
  const workflow = useWorkflow();
  const loops = loopsFor(workflow, node.id, ({ module_id }) => LOOPS.has(module_id));
  return (
    <div className="stack">
      {RETRY.map(([name, usual, least, most]) => (
        <TextField
          key={name}
          type="number"
          min={least}
          max={most}
          step={name === "attempts" ? 1 : "any"}
          label={t(`retry.${name}`)}
          placeholder={String(usual)}
          value={retry?.[name] ?? ""}
          onChange={({ target }) => {
            const { [name]: _, ...others } = retry ?? {};
            const number = Number(target.value);
            const next =
              target.value === "" || !Number.isFinite(number) ? others : { ...others, [name]: number };
            change({ retry: Object.keys(next).length ? next : null }, `retry ${name}`);
          }}
        />
      ))}
      <TextField
        type="number"
        min={0}
        step="any"
        label={t("panel.timeout")}
        hint={t("panel.timeoutHint")}
        value={node.timeout_seconds ?? ""}
        onChange={({ target }) =>
          change({ timeout_seconds: Number(target.value) > 0 ? Number(target.value) : null }, "timeout")
        }
      />
      {(loops.length > 0 || loopOf(node)) && (
        <SelectField
          label={t("panel.inside")}
          hint={t("panel.insideHint")}
          value={loopOf(node) ?? ""}
          options={[
            { value: "", label: t("panel.insideNone") },
            ...loops.map(({ id, name }) => ({ value: id, label: name })),
          ]}
          onChange={(loop) => edit((now) => putInside(now, new Set([node.id]), loop || null))}
        />
      )}
      <SelectField
        label={t("panel.join")}
        hint={t("panel.joinHint")}
        value={node.join ?? "all"}
        options={[
          { value: "all", label: t("panel.joinAll") },
          { value: "any", label: t("panel.joinAny") },
        ]}
        onChange={(join) => change({ join: join === "any" ? "any" : "all" }, "join")}
      />
      <label className="row">
        <input
          type="checkbox"
          className="setting-switch"
          checked={node.disabled === true}
          onChange={(event) => change({ disabled: event.target.checked }, "disabled")}
        />
        {t("panel.disabled")}
      </label>
      <TextArea
        label={t("panel.note")}
        value={String(node.data?.note ?? "")}
        onChange={({ target }) => {
          const { note: _, ...others } = node.data ?? {};
          change({ data: target.value ? { ...others, note: target.value } : others }, "note");
        }}
      />
    </div>
  );
}
