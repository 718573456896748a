/** Copying as JSON text: it can be pasted into another workflow, another page, or a letter. */

import { loopOf, withInside } from "./bodies";
import { connect, freeName, type Place, snapped, withNode } from "./edits";
import { withMembers } from "./groups";
import { newId, readWorkflow, type Workflow } from "./workflow";

export function copyText(workflow: Workflow, ids: ReadonlySet<string>): string | null {
  const wanted = withInside(workflow, withMembers(workflow, ids));
  const nodes = workflow.nodes.filter((node) => wanted.has(node.id));
  const notes = (workflow.notes ?? []).filter((note) => ids.has(note.id));
  if (nodes.length + notes.length === 0) return null;
  const connections = workflow.connections.filter(
    (wire) => wanted.has(wire.source) && wanted.has(wire.target),
  );
  return JSON.stringify({ nodes, connections, ...(notes.length ? { notes } : {}) }, null, 2);
}

export interface Pasted {
  workflow: Workflow;
  ids: Set<string>;
}

/** Add what a text holds, with new ids; its upper left corner comes to the place, or a step beside the original. */
export function pasteText(workflow: Workflow, text: string, place: Place | null): Pasted {
  return pasteWorkflow(workflow, readWorkflow(JSON.parse(text)), place);
}

function pasteWorkflow(workflow: Workflow, given: Workflow, place: Place | null): Pasted {
  const all = [...given.nodes, ...(given.notes ?? [])];
  const left = Math.min(...all.map((item) => item.x));
  const top = Math.min(...all.map((item) => item.y));
  const by = place ? { x: snapped(place).x - left, y: snapped(place).y - top } : { x: 40, y: 40 };
  const names = new Map(given.nodes.map((node) => [node.id, newId()]));
  let next = workflow;
  for (const node of given.nodes) {
    const id = names.get(node.id) ?? newId();
    const loop = names.get(loopOf(node) ?? "");
    const { parent_id: _, parentId: __, ...rest } = node;
    next = withNode(next, {
      ...rest,
      ...(loop ? { parent_id: loop } : {}),
      id,
      name: freeName(next, node.name),
      x: node.x + by.x,
      y: node.y + by.y,
    });
  }
  for (const wire of given.connections) {
    const source = names.get(wire.source);
    const target = names.get(wire.target);
    if (!source || !target) continue;
    next = connect(next, {
      source,
      target,
      sourcePort: wire.source_port_name ?? null,
      targetPort: wire.target_port_name ?? null,
    });
  }
  const notes = (given.notes ?? []).map((note) => ({
    ...note,
    id: newId(),
    x: note.x + by.x,
    y: note.y + by.y,
    ...(note.members ? { members: note.members.flatMap((member) => names.get(member) ?? []) } : {}),
  }));
  if (notes.length) next = { ...next, notes: [...(next.notes ?? []), ...notes] };
  return { workflow: next, ids: new Set([...names.values(), ...notes.map((note) => note.id)]) };
}
