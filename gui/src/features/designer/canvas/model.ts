/** The workflow as the canvas library wants it, keeping every object that did not change. */

import { applyNodeChanges, type Node, type NodeChange } from "@xyflow/react";
import { BOX, boxesOf } from "../document/groups";
import type { Workflow, WorkflowConnection, WorkflowNode, WorkflowNote } from "../document/workflow";
import { isErrorPort, type Listed, portsOf } from "../palette/catalog";
import { type Outline, outlineOf } from "./outline";
import type { WireEdge } from "./wire";

/** A step of a large workflow tells with `ports` for which ports it was outlined. */
export type CanvasNode = Node<{ node?: WorkflowNode; note?: WorkflowNote; ports?: string }>;

/** More steps than this are a large workflow. */
const MANY = 150;
export const isLarge = ({ nodes }: Workflow): boolean => nodes.length > MANY;

/** Bring the canvas's nodes up to date with the workflow; what the library measured stays. */
export function syncNodes(
  before: readonly CanvasNode[],
  workflow: Workflow,
  chosen: ReadonlySet<string>,
  byId: Readonly<Record<string, Listed>> = {},
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
  const large = isLarge(workflow);
  const steps = nodes.map((node) => {
    const outline = large ? outlineOf(node, byId[node.module_id]) : undefined;
    const shown = outlined(known.get(node.id), node, outline);
    return synced(known.get(node.id), node, chosen, { type: "step", hidden: boxes.has(node.id), ...shown });
  });
  const next = [...notesFirst, ...steps];
  return next.length === before.length && next.every((item, place) => item === before[place])
    ? [...before]
    : next;
}

/** The library keeps the ports that it knows; given anew they would take the place of those it measured. */
function settled<Item extends CanvasNode | undefined>(node: Item): Item {
  return node?.handles ? { ...node, handles: undefined } : node;
}

/** Let the library move, choose and measure what it shows. */
export function applyChanges(changes: NodeChange<CanvasNode>[], before: CanvasNode[]): CanvasNode[] {
  const shown = new Set(before);
  return applyNodeChanges(changes, before).map((node) => (shown.has(node) ? node : settled(node)));
}

/** What the library shall know of a step that it has not drawn, or whose ports are others now. */
function outlined(
  before: CanvasNode | undefined,
  node: WorkflowNode,
  outline: Outline | undefined,
): Partial<CanvasNode> & Pick<CanvasNode, "data"> {
  const same = before?.measured && (before.data.ports ?? outline?.ports) === outline?.ports;
  if (!outline || same) return { data: { node, ports: outline?.ports } };
  const { ports, handles, width, height } = outline;
  return { data: { node, ports }, handles, measured: { width, height } };
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
    before.data.ports === change.data.ports &&
    Boolean(before.selected) === selected &&
    Boolean(before.hidden) === Boolean(change.hidden);
  if (same) return before;
  const label = String("name" in item ? item.name : (item.text ?? ""));
  return {
    ...settled(before),
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
