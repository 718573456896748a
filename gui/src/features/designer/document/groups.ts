/** Groups of steps: a named frame behind them that takes them along, copies and disables them together. */

import type { Place } from "./edits";
import { NODE_HEIGHT, NODE_WIDTH } from "./layout";
import { newId, type Workflow, type WorkflowNote } from "./workflow";

const EDGE = 20;
const HEAD = 44;

/** The ids, and with each group those of its steps. */
export function withMembers(workflow: Workflow, ids: ReadonlySet<string>): ReadonlySet<string> {
  const groups = (workflow.notes ?? []).filter((note) => note.members && ids.has(note.id));
  return groups.length ? new Set([...ids, ...groups.flatMap((note) => note.members ?? [])]) : ids;
}

/** Put a frame around steps; they leave the groups they were in. */
export function group(
  workflow: Workflow,
  ids: ReadonlySet<string>,
  heights?: ReadonlyMap<string, number>,
): { workflow: Workflow; id: string | null } {
  const steps = workflow.nodes.filter((node) => ids.has(node.id));
  if (steps.length === 0) return { workflow, id: null };
  const left = Math.min(...steps.map((node) => node.x)) - EDGE;
  const top = Math.min(...steps.map((node) => node.y)) - HEAD;
  const right = Math.max(...steps.map((node) => node.x + NODE_WIDTH)) + EDGE;
  const bottom = Math.max(...steps.map((node) => node.y + (heights?.get(node.id) ?? NODE_HEIGHT))) + EDGE;
  const members = steps.map((node) => node.id);
  const place = { x: left, y: top, width: right - left, height: bottom - top };
  const made: WorkflowNote = { id: newId(), text: "", ...place, members };
  const others = (workflow.notes ?? []).flatMap((note) => leave(note, new Set(members)));
  return { workflow: { ...workflow, notes: [...others, made] }, id: made.id };
}

/** Take the frames away that are named, or that hold a named step; the steps stay. */
export function ungroup(workflow: Workflow, ids: ReadonlySet<string>): Workflow {
  const kept = (workflow.notes ?? []).filter(
    (note) => !note.members || !(ids.has(note.id) || note.members.some((id) => ids.has(id))),
  );
  return kept.length === (workflow.notes?.length ?? 0) ? workflow : { ...workflow, notes: kept };
}

/** How many of its steps a group still has: one that was deleted may be named. */
export function stepsIn({ nodes }: Workflow, { members = [] }: WorkflowNote): number {
  const ids = new Set(members);
  return nodes.filter(({ id }) => ids.has(id)).length;
}

/** The size of a group that is shown as one box. */
export const BOX = { width: NODE_WIDTH, height: NODE_HEIGHT };

/** Show groups as one box each, or as their steps where all of them are boxes: those named, or around named steps. */
export function toggleCollapsed(workflow: Workflow, ids: ReadonlySet<string>): Workflow {
  const meant = (note: WorkflowNote) =>
    note.members !== undefined && (ids.has(note.id) || note.members.some((id) => ids.has(id)));
  const groups = (workflow.notes ?? []).filter(meant);
  if (groups.length === 0) return workflow;
  const collapsed = !groups.every((note) => note.collapsed);
  const notes = (workflow.notes ?? []).map((note) => (meant(note) ? { ...note, collapsed } : note));
  return { ...workflow, notes };
}

const BOXES = new WeakMap<readonly WorkflowNote[], ReadonlyMap<string, string>>();
const NO_BOXES: ReadonlyMap<string, string> = new Map();

/** The steps that are not shown themselves, with the group that is shown in their place. */
export function boxesOf({ notes }: Workflow): ReadonlyMap<string, string> {
  if (!notes) return NO_BOXES;
  const known = BOXES.get(notes);
  if (known) return known;
  const hidden = notes.filter((note) => note.collapsed && note.members);
  const found = new Map(
    hidden.flatMap(({ id, members }) => (members ?? []).map((step) => [step, id] as const)),
  );
  BOXES.set(notes, found);
  return found;
}

function leave(note: WorkflowNote, steps: ReadonlySet<string>): WorkflowNote[] {
  if (!note.members?.some((id) => steps.has(id))) return [note];
  const members = note.members.filter((id) => !steps.has(id));
  return members.length ? [{ ...note, members }] : [];
}

interface Move {
  id: string;
  position: Place;
}

/** What else moves when these move: the steps of the groups among them. */
export function carried(
  moves: readonly Move[],
  now: readonly { id: string; position: Place; data: { note?: WorkflowNote } }[],
): Move[] {
  const moving = new Set(moves.map(({ id }) => id));
  const known = new Map(now.map((item) => [item.id, item]));
  return moves.flatMap(({ id, position }) => {
    const frame = known.get(id);
    const steps = frame?.data.note?.members ?? [];
    return steps.flatMap((step) => {
      const from = known.get(step);
      if (!frame || !from || moving.has(step)) return [];
      const x = from.position.x + position.x - frame.position.x;
      const y = from.position.y + position.y - frame.position.y;
      return [{ id: step, position: { x, y } }];
    });
  });
}
