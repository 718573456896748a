import { ArrowRight, Ban, Link2, Octagon, Pause, Pencil, Play, Plus, Trash2, X } from "lucide-react";
import { useState } from "react";
import { useT, type Word } from "@/i18n/words";
import { Button } from "@/ui/button";
import { toggleBreakpoints, useAids } from "../debug/aids";
import { useHeld } from "../debug/held";
import { nextAim } from "../document/actions";
import { loopOf } from "../document/bodies";
import { connect, reaches, remove, toggleDisabled } from "../document/edits";
import { useDocument, useWorkflow } from "../document/store";
import type { WorkflowNode } from "../document/workflow";
import { isErrorPort, portsOf, useCatalog } from "../palette/catalog";
import { useProblems } from "../run/problems";
import { useRun } from "../run/store";
import { useView } from "../view";
import "./list.css";

const icon = { size: 14, "aria-hidden": true } as const;

/** The same workflow as a list: everything the canvas can do, by keyboard and for screen readers. */
export function ListView() {
  const t = useT();
  const { nodes } = useWorkflow();
  const show = useView((state) => state.show);
  return (
    <aside className="list-view" aria-label={t("designer.listView")}>
      <div className="spread">
        <h2>{t("designer.steps", { count: nodes.length })}</h2>
        <Button size="small" onClick={() => show({ aim: nextAim({ x: 0, y: 0 }) })}>
          <Plus {...icon} />
          {t("designer.addStep")}
        </Button>
      </div>
      <ol>
        {nodes.map((node) => (
          <ListItem key={node.id} node={node} />
        ))}
      </ol>
    </aside>
  );
}

function ListItem({ node }: { node: WorkflowNode }) {
  const t = useT();
  const workflow = useWorkflow();
  const { edit, choose, openNode } = useDocument();
  const chosen = useDocument((state) => state.chosen.has(node.id));
  const run = useRun((state) => state.run?.nodes[node.id]);
  const problems = useProblems((state) => state.byNode[node.id]);
  const [connecting, setConnecting] = useState(false);
  const out = workflow.connections.filter((wire) => wire.source === node.id);
  const nameOf = (id: string) => workflow.nodes.find((item) => item.id === id)?.name ?? id;
  const about = { name: node.name };
  const loop = loopOf(node);
  return (
    <li data-chosen={chosen} onFocusCapture={() => choose([node.id])}>
      <div className="list-row">
        <button type="button" className="list-name" onClick={() => openNode(node.id)}>
          <strong>{node.name}</strong>
          <span>
            {run && t(`status.${run.status}` as Word)}
            {node.disabled && t("designer.disabled")}
            {loop && t("designer.insideOf", { name: nameOf(loop) })}
          </span>
        </button>
        <Button
          kind="quiet"
          size="icon"
          aria-label={t("designer.connectOf", about)}
          onClick={() => setConnecting(!connecting)}
        >
          <Link2 {...icon} />
        </Button>
        <Button
          kind="quiet"
          size="icon"
          aria-label={t("designer.editOf", about)}
          onClick={() => openNode(node.id)}
        >
          <Pencil {...icon} />
        </Button>
        <Button
          kind="quiet"
          size="icon"
          aria-label={t("designer.runFromOf", about)}
          onClick={() => void useRun.getState().start("EXECUTE", node.id)}
        >
          <Play {...icon} />
        </Button>
        <Button
          kind="quiet"
          size="icon"
          aria-pressed={Boolean(node.disabled)}
          aria-label={t("designer.disableOf", about)}
          onClick={() => edit((now) => toggleDisabled(now, new Set([node.id])))}
        >
          <Ban {...icon} />
        </Button>
        <Button
          kind="quiet"
          size="icon"
          aria-label={t("designer.deleteOf", about)}
          onClick={() => edit((now) => remove(now, new Set([node.id])))}
        >
          <Trash2 {...icon} />
        </Button>
      </div>
      {problems?.map((problem) => (
        <p key={`${problem.field}${problem.problem}`} className="field-problem">
          {problem.field ? `${problem.field}: ` : ""}
          {problem.problem}
        </p>
      ))}
      {out.length > 0 && (
        <ul>
          {out.map((wire) => (
            <li key={wire.id} className="list-wire">
              <span>
                {wire.source_port_name ?? ""} <ArrowRight {...icon} /> {nameOf(wire.target)}
              </span>
              <StopButton wireId={wire.id} from={node.name} to={nameOf(wire.target)} />
              <button
                type="button"
                aria-label={t("designer.disconnectOf", { from: node.name, to: nameOf(wire.target) })}
                onClick={() => edit((now) => remove(now, new Set([wire.id])))}
              >
                <X {...icon} />
              </button>
            </li>
          ))}
        </ul>
      )}
      {connecting && <ConnectForm node={node} onDone={() => setConnecting(false)} />}
    </li>
  );
}

/** A breakpoint of a connection; where data waits, the way to it. */
function StopButton({ wireId, from, to }: { wireId: string; from: string; to: string }) {
  const t = useT();
  const stops = useAids((state) => state.breakpoints.has(wireId));
  const held = useHeld().includes(wireId);
  const show = useView((state) => state.show);
  return (
    <>
      {held && (
        <button type="button" aria-label={t("break.look")} onClick={() => show({ peek: wireId })}>
          <Pause {...icon} />
        </button>
      )}
      <button
        type="button"
        className="wire-stop"
        aria-pressed={stops}
        aria-label={t(stops ? "break.clearOf" : "break.setOf", { from, to })}
        onClick={() => toggleBreakpoints([wireId])}
      >
        <Octagon {...icon} />
      </button>
    </>
  );
}

function ConnectForm({ node, onDone }: { node: WorkflowNode; onDone(): void }) {
  const t = useT();
  const workflow = useWorkflow();
  const byId = useCatalog((state) => state.byId);
  const edit = useDocument((state) => state.edit);
  const { outputs } = portsOf(node, byId[node.module_id]);
  const targets = workflow.nodes.flatMap((item) => {
    if (item.id === node.id || loopOf(item) !== loopOf(node) || reaches(workflow, item.id, node.id))
      return [];
    return portsOf(item, byId[item.module_id]).inputs.map((port) => ({
      id: `${item.id}\n${port.name}`,
      label: item.name,
    }));
  });
  const [port, setPort] = useState(outputs.find((item) => !isErrorPort(item.name))?.name ?? "");
  const [target, setTarget] = useState(targets[0]?.id ?? "");
  return (
    <form
      className="list-connect"
      onSubmit={(event) => {
        event.preventDefault();
        const [id = "", targetPort = null] = target.split("\n");
        edit((now) => connect(now, { source: node.id, sourcePort: port, target: id, targetPort }));
        onDone();
      }}
    >
      <select
        className="input"
        aria-label={t("designer.fromPort")}
        value={port}
        onChange={(event) => setPort(event.target.value)}
      >
        {outputs.map((item) => (
          <option key={item.name} value={item.name}>
            {item.display_name}
          </option>
        ))}
      </select>
      <select
        className="input"
        aria-label={t("designer.toStep")}
        value={target}
        onChange={(event) => setTarget(event.target.value)}
      >
        {targets.map((item) => (
          <option key={item.id} value={item.id}>
            {item.label}
          </option>
        ))}
      </select>
      <Button size="small" type="submit" disabled={!target}>
        {t("designer.connect")}
      </Button>
    </form>
  );
}
