/** The workflow as the canvas library wants it, keeping every object that did not change. */

import type { Node } from "@xyflow/react";
import { BOX, boxesOf } from "../document/groups";
import type { Workflow, WorkflowConnection, WorkflowNode, WorkflowNote } from "../document/workflow";
import { isErrorPort, type Listed, portsOf } from "../palette/catalog";
import type { WireEdge } from "./wire";

export type CanvasNode = Node<{ node?: WorkflowNode; note?: WorkflowNote }>;

/** Bring the canvas's nodes up to date with the workflow; what the library measured stays. */
export function syncNodes(
  before: readonly CanvasNode[],
  workflow: Workflow,
  chosen: ReadonlySet<string>,
): CanvasNode[] {
  const { nodes, notes = [] } = workflow;
  const boxes = boxesOf(workflow);
  const known = new Map(before.map((item) => [item.id, item]));
  const notesFirst = notes.map((note) =>
    synced(known.get(note.id), note, chosen, {
      type: "note",
      data: { note },
      ...(note.collapsed ? BOX : { width: note.width, height: note.height }),
      // behind the steps, also while it is chosen and lifted by a thousand
      zIndex: -2000,
    }),
  );
  const steps = nodes.map((node) =>
    synced(known.get(node.id), node, chosen, { type: "step", data: { node }, hidden: boxes.has(node.id) }),
  );
  const next = [...notesFirst, ...steps];
  return next.length === before.length && next.every((item, place) => item === before[place])
    ? [...before]
    : next;
}

function synced(
  before: CanvasNode | undefined,
  item: WorkflowNode | WorkflowNote,
  chosen: ReadonlySet<string>,
  change: Partial<CanvasNode> & Pick<CanvasNode, "type" | "data">,
): CanvasNode {
  const selected = chosen.has(item.id);
  const same =
    before &&
    (before.data.node ?? before.data.note) === item &&
    Boolean(before.selected) === selected &&
    Boolean(before.hidden) === Boolean(change.hidden);
  if (same) return before;
  const label = String("name" in item ? item.name : (item.text ?? ""));
  return {
    ...before,
    ...change,
    id: item.id,
    position: { x: item.x, y: item.y },
    selected,
    ...(label ? { ariaLabel: label, ariaRole: "group" as const } : {}),
  };
}

/** The connections; one whose port is not named leaves by the first good port and arrives at the first. */
export function wiresOf(
  workflow: Workflow,
  byId: Readonly<Record<string, Listed>>,
  chosen: ReadonlySet<string>,
): WireEdge[] {
  const nodes = new Map(workflow.nodes.map((node) => [node.id, node]));
  const boxes = boxesOf(workflow);
  const names = (id: string) => nodes.get(id)?.name ?? id;
  return workflow.connections.flatMap((wire) => {
    const source = nodes.get(wire.source);
    const target = nodes.get(wire.target);
    if (!source || !target) return [];
    const { sourcePort, targetPort } = endsOf(wire, source, target, byId);
    const [from, to] = [boxes.get(wire.source), boxes.get(wire.target)];
    if (from && from === to) return [];
    return [
      {
        id: wire.id,
        type: "wire" as const,
        source: from ?? wire.source,
        target: to ?? wire.target,
        sourceHandle: from ? "out" : sourcePort,
        targetHandle: to ? "in" : targetPort,
        selected: chosen.has(wire.id),
        data: { error: sourcePort !== null && isErrorPort(sourcePort), to: wire.target },
        ariaLabel: `${names(wire.source)} → ${names(wire.target)}`,
      },
    ];
  });
}

function endsOf(
  wire: WorkflowConnection,
  source: WorkflowNode,
  target: WorkflowNode,
  byId: Readonly<Record<string, Listed>>,
) {
  const { outputs } = portsOf(source, byId[source.module_id]);
  const { inputs } = portsOf(target, byId[target.module_id]);
  const main = outputs.find((port) => !isErrorPort(port.name)) ?? outputs[0];
  const fits = (name: unknown, ports: { name: string }[]) =>
    typeof name === "string" && ports.some((port) => port.name === name) ? name : null;
  return {
    sourcePort: fits(wire.source_port_name, outputs) ?? main?.name ?? null,
    targetPort: fits(wire.target_port_name, inputs) ?? inputs[0]?.name ?? null,
  };
}
