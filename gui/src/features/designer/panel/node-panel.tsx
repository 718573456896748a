import { Play, X } from "lucide-react";
import { Dialog as Primitive, Tabs } from "radix-ui";
import { useEffect, useMemo, useState } from "react";
import { useSession } from "@/app/session";
import { Payloads } from "@/features/run/payloads";
import { schemaOf } from "@/features/run/schema";
import { useWireData } from "@/features/run/wire-data";
import { useT } from "@/i18n/words";
import { Notice } from "@/ui/badge";
import { Button } from "@/ui/button";
import { PinBox } from "../debug/pin-box";
import { changeNode, nodeOf, setConfig } from "../document/edits";
import { useDocument, useWorkflow } from "../document/store";
import type { WorkflowNode } from "../document/workflow";
import { iconOf, portsOf, useCatalog } from "../palette/catalog";
import { useProblems } from "../run/problems";
import { useRun } from "../run/store";
import type { Known } from "./completion";
import { FieldEditor } from "./field-editor";
import { fieldsOf } from "./fields";
import { closeProposals } from "./proposals";
import { StepSettings } from "./step-settings";
import { rootOf, sourcesOf } from "./upstream";
import "./panel.css";

/** A step in full: what comes in, its settings, what goes out. Escape closes it and keeps everything. */
export function NodePanel() {
  const { open, openNode } = useDocument();
  const workflow = useWorkflow();
  const node = open ? nodeOf(workflow, open) : undefined;
  return (
    <Primitive.Root open={node !== undefined} onOpenChange={(shown) => !shown && openNode(null)}>
      <Primitive.Portal>
        <Primitive.Overlay className="dialog-shade" />
        <Primitive.Content
          className="panel"
          aria-describedby={undefined}
          onOpenAutoFocus={(event) => {
            event.preventDefault();
            (event.target as HTMLElement).focus();
          }}
          onEscapeKeyDown={(event) => {
            if (closeProposals()) event.preventDefault();
          }}
        >
          {node && <Panes key={node.id} node={node} />}
        </Primitive.Content>
      </Primitive.Portal>
    </Primitive.Root>
  );
}

function Panes({ node }: { node: WorkflowNode }) {
  const t = useT();
  const component = useCatalog((state) => state.byId[node.module_id]);
  const engineId = useSession((state) => state.engineId) ?? "";
  const visits = useSession((state) => state.visitor !== null);
  const { openNode, edit } = useDocument();
  const [pane, setPane] = useState<"input" | "middle" | "output">("middle");
  const input = useInput(node);
  const panes = [
    ["input", t("panel.input")],
    ["middle", t("panel.parameters")],
    ["output", t("panel.output")],
  ] as const;
  return (
    <>
      <header className="panel-head">
        {component && <img className="step-icon" src={iconOf(component, engineId)} alt="" />}
        <Primitive.Title className="visually-hidden">{node.name}</Primitive.Title>
        <input
          className="input panel-name"
          aria-label={t("designer.name")}
          maxLength={200}
          value={node.name}
          onChange={({ target }) =>
            edit((workflow) => changeNode(workflow, node.id, { name: target.value }), `${node.id} name`)
          }
        />
        <span className="shell-fill" />
        <Button size="small" onClick={() => void useRun.getState().start("EXECUTE", node.id)}>
          <Play size={14} aria-hidden="true" />
          {t("command.runHere")}
        </Button>
        <Button kind="quiet" size="icon" aria-label={t("designer.close")} onClick={() => openNode(null)}>
          <X size={18} aria-hidden="true" />
        </Button>
      </header>
      <div className="tab-list panel-tabs">
        {panes.map(([id, label]) => (
          <button key={id} type="button" aria-pressed={pane === id} onClick={() => setPane(id)}>
            {label}
          </button>
        ))}
      </div>
      <div className="panel-panes" data-pane={pane}>
        <section aria-label={t("panel.input")}>
          <h3>{t("panel.input")}</h3>
          <InputPane input={input} />
        </section>
        <section aria-label={t("panel.parameters")}>
          <Parameters node={node} known={input.known} />
        </section>
        <section aria-label={t("panel.output")}>
          <h3>{t("panel.output")}</h3>
          {!visits && <PinBox node={node} />}
          <OutputPane node={node} />
        </section>
      </div>
    </>
  );
}

/** The data that comes in, and what expressions can name. */
function useInput(node: WorkflowNode) {
  const t = useT();
  const workflow = useWorkflow();
  const engine = useSession((state) => state.engine);
  const { jobId, run } = useRun();
  const sources = useMemo(() => sourcesOf(workflow, node.id), [workflow, node.id]);
  const [chosen, setChosen] = useState("");
  const source = sources.find((item) => item.wire.id === chosen) ?? sources[0];
  const data = useWireData(jobId, source?.wire.id ?? null, run?.passed[source?.wire.id ?? ""] ?? 0);
  const [variables, setVariables] = useState<string[]>([]);
  useEffect(() => {
    engine?.request("request_variables", {}).then(
      (answer) => setVariables(answer.variables.filter((item) => item.is_enabled).map((item) => item.name)),
      () => undefined, // Completion without variables is still useful.
    );
  }, [engine]);
  const last = data.payloads?.at(-1)?.data;
  const known = (): Known => ({
    paths: [
      ...(source && data.payloads?.length
        ? schemaOf(last, source.root).map(({ path, type }) => ({ path, about: type }))
        : []),
      ...(source?.direct && data.payloads?.length ? [] : [{ path: "data", about: t("panel.input") }]),
      ...sources
        .filter((item) => !item.direct)
        .map((item) => ({ path: rootOf(item.node.name), about: item.node.name })),
      ...variables.map((name) => ({ path: `vars.${name}`, about: "" })),
      { path: "run.id", about: "" },
    ],
  });
  return { sources, source, data, jobId, known, setChosen };
}

function InputPane({ input }: { input: ReturnType<typeof useInput> }) {
  const t = useT();
  const { sources, source, data, jobId, setChosen } = input;
  if (!source) return <p className="field-hint">{t("panel.noInput")}</p>;
  return (
    <div className="stack">
      <select
        className="input"
        aria-label={t("panel.from")}
        value={source.wire.id}
        onChange={(event) => setChosen(event.target.value)}
      >
        {sources.map((item) => (
          <option key={item.wire.id} value={item.wire.id}>
            {item.node.name}
            {item.direct ? "" : ` (${item.root})`}
          </option>
        ))}
      </select>
      {jobId ? <Payloads data={data} root={source.root} /> : <NoRun />}
    </div>
  );
}

function OutputPane({ node }: { node: WorkflowNode }) {
  const t = useT();
  const { connections } = useWorkflow();
  const { jobId, run } = useRun();
  const component = useCatalog((state) => state.byId[node.module_id]);
  const wires = connections.filter((wire) => wire.source === node.id);
  const [chosen, setChosen] = useState("");
  const wire =
    wires.find((item) => item.id === chosen) ?? wires.find((item) => run?.passed[item.id]) ?? wires[0];
  const data = useWireData(jobId, wire?.id ?? null, run?.passed[wire?.id ?? ""] ?? 0);
  const ports = portsOf(node, component).outputs;
  const label = (port: unknown) =>
    ports.find((item) => item.name === port)?.display_name ?? String(port ?? "");
  const error = run?.nodes[node.id]?.error;
  return (
    <div className="stack">
      {error && <Notice tone="bad">{error}</Notice>}
      {!wire && <p className="field-hint">{t("panel.noOutput")}</p>}
      {wire && (
        <select
          className="input"
          aria-label={t("panel.to")}
          value={wire.id}
          onChange={(event) => setChosen(event.target.value)}
        >
          {wires.map((item) => (
            <option key={item.id} value={item.id}>
              {label(item.source_port_name)}
            </option>
          ))}
        </select>
      )}
      {wire && (jobId ? <Payloads data={data} /> : <NoRun />)}
    </div>
  );
}

function NoRun() {
  const t = useT();
  return <p className="field-hint">{t("panel.noRun")}</p>;
}

function Parameters({ node, known }: { node: WorkflowNode; known(): Known }) {
  const t = useT();
  const component = useCatalog((state) => state.byId[node.module_id]);
  const problems = useProblems((state) => state.byNode[node.id]) ?? [];
  const edit = useDocument((state) => state.edit);
  const fields = useMemo(() => (component ? fieldsOf(component.manifest) : []), [component]);
  const named = new Set(fields.map((field) => field.id));
  const at = (field: string | null | undefined) => field?.split(".")[0] ?? "";
  const general = problems.filter((problem) => !named.has(at(problem.field)));
  return (
    <Tabs.Root defaultValue="parameters" className="stack">
      <Tabs.List className="tab-list" aria-label={t("panel.parameters")}>
        <Tabs.Trigger value="parameters">{t("panel.parameters")}</Tabs.Trigger>
        <Tabs.Trigger value="settings">{t("panel.settings")}</Tabs.Trigger>
      </Tabs.List>
      {general.map((problem) => (
        <Notice key={problem.problem} tone="warn">
          {problem.problem}
        </Notice>
      ))}
      <Tabs.Content value="parameters" className="stack">
        {component ? (
          <p className="field-hint">{component.description}</p>
        ) : (
          <Notice tone="bad">{t("designer.missing", { id: node.module_id })}</Notice>
        )}
        {component && fields.length === 0 && <p>{t("panel.noFields")}</p>}
        {fields.map((field) => (
          <FieldEditor
            key={field.id}
            field={field}
            value={field.id in node.config_values ? node.config_values[field.id] : field.initial}
            problems={problems
              .filter((problem) => at(problem.field) === field.id)
              .map((problem) => problem.problem)}
            known={known}
            onChange={(value) =>
              edit((now) => setConfig(now, node.id, field.id, value), `${node.id} ${field.id}`)
            }
          />
        ))}
        {component && <p className="field-hint">{component.manifest.guarantee}</p>}
      </Tabs.Content>
      <Tabs.Content value="settings">
        <StepSettings node={node} />
      </Tabs.Content>
    </Tabs.Root>
  );
}
