/** Changes of a workflow: each takes one and returns another; the given one is never touched. */

import { withInside } from "./bodies";
import {
  newEdgeId,
  newId,
  type Workflow,
  type WorkflowConnection,
  type WorkflowNode,
  type WorkflowNote,
} from "./workflow";

export interface Place {
  x: number;
  y: number;
}

export interface Wire {
  source: string;
  target: string;
  sourcePort: string | null;
  targetPort: string | null;
}

export const GRID = 20;
export const snapped = ({ x, y }: Place): Place => ({
  x: Math.round(x / GRID) * GRID,
  y: Math.round(y / GRID) * GRID,
});

export const nodeOf = (workflow: Workflow, id: string): WorkflowNode | undefined =>
  workflow.nodes.find((node) => node.id === id);

/** A name that no other node has: "Delay", "Delay 2", "Delay 3". */
export function freeName(workflow: Workflow, wanted: string): string {
  const taken = new Set(workflow.nodes.map((node) => node.name));
  if (!taken.has(wanted)) return wanted;
  for (let count = 2; ; count++) {
    if (!taken.has(`${wanted} ${count}`)) return `${wanted} ${count}`;
  }
}

export const withNode = (workflow: Workflow, node: WorkflowNode): Workflow => ({
  ...workflow,
  nodes: [...workflow.nodes, node],
});

export function changeNode(workflow: Workflow, id: string, change: Partial<WorkflowNode>): Workflow {
  return {
    ...workflow,
    nodes: workflow.nodes.map((node) => (node.id === id ? { ...node, ...change } : node)),
  };
}

export function setConfig(workflow: Workflow, id: string, field: string, value: unknown): Workflow {
  const node = nodeOf(workflow, id);
  if (!node || Object.is(node.config_values[field], value)) return workflow;
  const { [field]: _, ...others } = node.config_values;
  const config = value === undefined ? others : { ...node.config_values, [field]: value };
  return changeNode(workflow, id, { config_values: config });
}

/** Move nodes and notes to the given places. */
export function move(workflow: Workflow, places: ReadonlyMap<string, Place>): Workflow {
  const at = <Item extends WorkflowNode | WorkflowNote>(item: Item): Item => {
    const place = places.get(item.id);
    return place && (place.x !== item.x || place.y !== item.y) ? { ...item, x: place.x, y: place.y } : item;
  };
  const nodes = workflow.nodes.map(at);
  const notes = workflow.notes?.map(at);
  const same =
    nodes.every((node, index) => node === workflow.nodes[index]) &&
    (notes ?? []).every((note, index) => note === workflow.notes?.[index]);
  return same ? workflow : { ...workflow, nodes, ...(notes ? { notes } : {}) };
}

/** Remove nodes (with their connections and, of loops, their inside), connections and notes by their ids. */
export function remove(workflow: Workflow, chosen: ReadonlySet<string>): Workflow {
  const ids = withInside(workflow, chosen);
  const nodes = workflow.nodes.filter((node) => !ids.has(node.id));
  const connections = workflow.connections.filter(
    (wire) => !ids.has(wire.id) && !ids.has(wire.source) && !ids.has(wire.target),
  );
  const notes = workflow.notes?.filter((note) => !ids.has(note.id));
  const count = nodes.length + connections.length + (notes?.length ?? 0);
  const before = workflow.nodes.length + workflow.connections.length + (workflow.notes?.length ?? 0);
  return count === before ? workflow : { ...workflow, nodes, connections, ...(notes ? { notes } : {}) };
}

export function connect(workflow: Workflow, wire: Wire, id = newEdgeId()): Workflow {
  const there = workflow.connections.some(
    (known) =>
      known.source === wire.source &&
      known.target === wire.target &&
      (known.source_port_name ?? null) === wire.sourcePort &&
      (known.target_port_name ?? null) === wire.targetPort,
  );
  if (there || wire.source === wire.target || reaches(workflow, wire.target, wire.source)) return workflow;
  const made: WorkflowConnection = {
    id,
    source: wire.source,
    target: wire.target,
    source_port_name: wire.sourcePort,
    target_port_name: wire.targetPort,
  };
  return { ...workflow, connections: [...workflow.connections, made] };
}

/** Whether data that leaves the first node can come to the second: a connection back would make a circle. */
export function reaches(workflow: Workflow, from: string, to: string): boolean {
  const next = new Map<string, string[]>();
  for (const { source, target } of workflow.connections) {
    const list = next.get(source);
    if (list) list.push(target);
    else next.set(source, [target]);
  }
  const seen = new Set([from]);
  const open = [from];
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    if (id === to) return true;
    for (const target of next.get(id) ?? []) {
      if (!seen.has(target)) {
        seen.add(target);
        open.push(target);
      }
    }
  }
  return false;
}

/** Put a node into a connection: what went along it goes through the node now. */
export function insertOnWire(
  workflow: Workflow,
  wireId: string,
  nodeId: string,
  ports: { input: string | null; output: string | null },
): Workflow {
  const wire = workflow.connections.find((known) => known.id === wireId);
  if (!wire || wire.source === nodeId || wire.target === nodeId) return workflow;
  const without = remove(workflow, new Set([wireId]));
  const first = connect(without, {
    source: wire.source,
    sourcePort: wire.source_port_name ?? null,
    target: nodeId,
    targetPort: ports.input,
  });
  const second = connect(first, {
    source: nodeId,
    sourcePort: ports.output,
    target: wire.target,
    targetPort: wire.target_port_name ?? null,
  });
  return second.connections.length === workflow.connections.length + 1 ? second : workflow;
}

/** Disable nodes, or enable them where all of them are disabled. */
export function toggleDisabled(workflow: Workflow, ids: ReadonlySet<string>): Workflow {
  const chosen = workflow.nodes.filter((node) => ids.has(node.id));
  if (chosen.length === 0) return workflow;
  const disabled = !chosen.every((node) => node.disabled);
  return {
    ...workflow,
    nodes: workflow.nodes.map((node) => (ids.has(node.id) ? { ...node, disabled } : node)),
  };
}

export function addNote(workflow: Workflow, place: Place): { workflow: Workflow; id: string } {
  const note: WorkflowNote = { id: newId(), text: "", ...snapped(place), width: 240, height: 120 };
  return { workflow: { ...workflow, notes: [...(workflow.notes ?? []), note] }, id: note.id };
}

export function changeNote(workflow: Workflow, id: string, change: Partial<WorkflowNote>): Workflow {
  const notes = (workflow.notes ?? []).map((note) => (note.id === id ? { ...note, ...change } : note));
  return { ...workflow, notes };
}
