/** Puts two persons' changes of one workflow together, field by field; where both changed the same, mine stays. */

import { canonicalJson } from "@/crypto/preset";
import { loopOf, withInside } from "../document/bodies";
import { remove } from "../document/edits";
import type { Unknown, Workflow, WorkflowConnection, WorkflowNode } from "../document/workflow";

export type Subject = "nodes" | "connections" | "notes" | "setting";

/** What both changed in different ways. A value is undefined where that person took it away. */
export interface Clash {
  subject: Subject;
  /** The id of the item; of a setting of the workflow its name. */
  id: string;
  /** What the item is called. */
  name: string;
  /** Where in the item, outermost member first; empty where it is the whole item. */
  path: readonly string[];
  mine: unknown;
  theirs: unknown;
}

export interface Merged {
  workflow: Workflow;
  clashes: Clash[];
}

interface Item extends Unknown {
  id: string;
}

/** Members whose own members are changed one by one. */
const NESTED: ReadonlySet<string> = new Set(["config_values", "data"]);
/** Where and how something stands on the canvas: nobody is asked about that. */
const LOOKS: ReadonlySet<string> = new Set(["x", "y", "width", "height", "collapsed"]);
const LISTS: ReadonlySet<string> = new Set(["nodes", "connections", "notes"]);

const spelled = new WeakMap<object, string>();

/** Most of two versions is the same object, or was compared before. */
function spelling(value: unknown): string {
  if (typeof value !== "object" || value === null) return canonicalJson(value);
  const known = spelled.get(value) ?? canonicalJson(value);
  spelled.set(value, known);
  return known;
}

export const same = (one: unknown, other: unknown): boolean =>
  one === other || (one !== undefined && other !== undefined && spelling(one) === spelling(other));

/** Return the union of both changes since `base`, and what both had changed differently. */
export function merge(base: Workflow, mine: Workflow, theirs: Workflow): Merged {
  const clashes: Clash[] = [];
  const nodes = mergeItems("nodes", [base.nodes, mine.nodes, theirs.nodes], clashes, {
    mine: heldSteps(base, mine, theirs),
    theirs: heldSteps(base, theirs, mine),
  });
  const wires = [base.connections, withoutTwins(base, mine, theirs), theirs.connections] as const;
  const connections = mergeItems("connections", wires, clashes, {
    mine: { asked: NOTHING, along: lostEnds(mine, theirs) },
    theirs: { asked: NOTHING, along: lostEnds(theirs, mine) },
  });
  const notes = mergeItems("notes", [base.notes ?? [], mine.notes ?? [], theirs.notes ?? []], clashes);
  const ids = new Set(nodes.map((node) => node.id));
  const rest = mergeMembers([settings(base), settings(mine), settings(theirs)], (path, left, right) =>
    clashes.push({
      subject: "setting",
      id: path[0] ?? "",
      name: path[0] ?? "",
      path: path.slice(1),
      mine: left,
      theirs: right,
    }),
  );
  const workflow: Workflow = {
    ...rest,
    nodes,
    connections: connections.filter(({ source, target }) => ids.has(source) && ids.has(target)),
    ...(notes.length ? { notes } : {}),
  };
  return { workflow, clashes };
}

const settings = (workflow: Workflow): Unknown =>
  Object.fromEntries(Object.entries(workflow).filter(([name]) => !LISTS.has(name)));

/** What somebody still has of what the other deleted, and what of it stays. */
interface Held {
  /** In use: it stays, and one is asked about it. */
  asked: ReadonlySet<string>;
  /** It stays with what one is asked about. */
  along: ReadonlySet<string>;
}

/** The steps that somebody changed or connected, with the loops they stand in; and with these loops their inside. */
function heldSteps(base: Workflow, now: Workflow, other: Workflow): Held {
  const were = new Map(base.nodes.map((node) => [node.id, node]));
  const steps = new Map(now.nodes.map((node) => [node.id, node]));
  const left = new Set(other.nodes.map(({ id }) => id));
  const loopFrom = (from: ReadonlyMap<string, WorkflowNode>, id: string) => {
    const node = from.get(id);
    return node ? loopOf(node) : null;
  };
  const asked = new Set(newEnds(base, now));
  for (const node of now.nodes) if (!same(were.get(node.id), node)) asked.add(node.id);
  for (const id of [...asked]) {
    // what the other has moved out of a loop does not need it
    if (left.has(id) && loopFrom(were, id) === loopFrom(steps, id)) continue;
    for (let loop = loopFrom(steps, id); loop && !asked.has(loop); loop = loopFrom(steps, loop))
      asked.add(loop);
  }
  return { asked, along: withInside(now, new Set([...asked].filter((id) => !left.has(id)))) };
}

/** The connections that the other lost with a step at their end: where the step stays, they do. */
function lostEnds(now: Workflow, other: Workflow): ReadonlySet<string> {
  const left = new Set(other.nodes.map(({ id }) => id));
  return new Set(
    now.connections
      .filter(({ source, target }) => !left.has(source) || !left.has(target))
      .map(({ id }) => id),
  );
}

/** The steps that somebody's new connections lead to or from: these are in use, whoever else deleted them. */
function newEnds(base: Workflow, now: Workflow): ReadonlySet<string> {
  const old = new Set(base.connections.map(({ id }) => id));
  return new Set(
    now.connections.filter(({ id }) => !old.has(id)).flatMap(({ source, target }) => [source, target]),
  );
}

const endsOf = (wire: WorkflowConnection): string =>
  [wire.source, wire.source_port_name ?? "", wire.target, wire.target_port_name ?? ""].join("\n");

/** My connections but for the new ones that they drew too, under another id. */
function withoutTwins(base: Workflow, mine: Workflow, theirs: Workflow): WorkflowConnection[] {
  const old = new Set(base.connections.map(({ id }) => id));
  const drawn = new Map(
    theirs.connections.filter(({ id }) => !old.has(id)).map((wire) => [endsOf(wire), wire.id]),
  );
  return mine.connections.filter((wire) => {
    const twin = old.has(wire.id) ? undefined : drawn.get(endsOf(wire));
    return twin === undefined || twin === wire.id;
  });
}

type Three<Value> = readonly [base: Value, mine: Value, theirs: Value];
type Tell = (path: readonly string[], mine: unknown, theirs: unknown) => void;

function mergeItems<Kind extends Item>(
  subject: Subject,
  lists: Three<readonly Kind[]>,
  clashes: Clash[],
  held: { mine: Held; theirs: Held } = { mine: NOT_HELD, theirs: NOT_HELD },
): Kind[] {
  const [was, my, their] = lists.map((list) => new Map(list.map((item) => [item.id, item]))) as [
    Map<string, Kind>,
    Map<string, Kind>,
    Map<string, Kind>,
  ];
  const items: Kind[] = [];
  for (const id of new Set([...their.keys(), ...my.keys()])) {
    const [before, left, right] = [was.get(id), my.get(id), their.get(id)];
    const name = String((left ?? right)?.name ?? (left ?? right)?.text ?? id);
    const tell: Tell = (path, mine, theirs) => clashes.push({ subject, id, name, path, mine, theirs });
    if (left && right) {
      items.push(mergeMembers([before ?? ({ id } as Kind), left, right], tell));
    } else if (left) {
      // they deleted it, unless it is new
      const mineToo = !same(before, left) || held.mine.asked.has(id);
      if (before && mineToo) tell([], left, undefined);
      if (!before || mineToo || held.mine.along.has(id)) items.push(left);
    } else if (right) {
      const theirsToo = !same(before, right) || held.theirs.asked.has(id);
      if (before && theirsToo) tell([], undefined, right);
      // What one deleted and the other changed is kept: a deletion is done again more easily than lost work.
      if (!before || theirsToo || held.theirs.along.has(id)) items.push(right);
    }
  }
  return items;
}

const NOTHING: ReadonlySet<string> = new Set();
const NOT_HELD: Held = { asked: NOTHING, along: NOTHING };

function mergeMembers<Kind extends Unknown>([before, left, right]: Three<Kind>, tell: Tell): Kind {
  if (same(left, right) || same(before, left)) return right;
  if (same(before, right)) return left;
  const merged: Unknown = {};
  for (const name of new Set([...Object.keys(right), ...Object.keys(left)])) {
    const [was, my, their] = [before[name], left[name], right[name]];
    let kept = my;
    if (same(was, my)) kept = their;
    else if (same(was, their) || same(my, their)) kept = my;
    else if (NESTED.has(name) && isObject(my) && isObject(their)) {
      kept = mergeMembers([isObject(was) ? was : {}, my, their], (path, mine, theirs) =>
        tell([name, ...path], mine, theirs),
      );
    } else if (!LOOKS.has(name)) tell([name], my, their);
    if (kept !== undefined) merged[name] = kept;
  }
  return merged as Kind;
}

const isObject = (value: unknown): value is Unknown =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Settle a clash as one of the two had it. */
export function decide(workflow: Workflow, clash: Clash, side: "mine" | "theirs"): Workflow {
  const { subject, id, path } = clash;
  const value = clash[side];
  if (subject === "setting") return placed(workflow, [id, ...path], value) as Workflow;
  const items: readonly Item[] = workflow[subject] ?? [];
  if (path.length) {
    const changed = items.map((item) => (item.id === id ? (placed(item, path, value) as Item) : item));
    return { ...workflow, [subject]: changed };
  }
  if (value === undefined) return remove(workflow, new Set([id]));
  // it was kept, and may have been changed further since
  return items.some((item) => item.id === id) ? workflow : { ...workflow, [subject]: [...items, value] };
}

/** Whether a clash still waits: nobody has settled it, changed the place since, or undone it. */
export function isOpen(workflow: Workflow, { subject, id, path, mine }: Clash): boolean {
  if (subject === "setting") return same(valueAt(workflow, [id, ...path]), mine);
  const items: readonly Item[] = workflow[subject] ?? [];
  const item = items.find((one) => one.id === id);
  if (path.length === 0) return item !== undefined;
  return item !== undefined && same(valueAt(item, path), mine);
}

function valueAt(from: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((value, name) => (isObject(value) ? value[name] : undefined), from);
}

function placed(into: Unknown, [name, ...rest]: readonly string[], value: unknown): Unknown {
  if (name === undefined) return into;
  const { [name]: before, ...others } = into;
  const next = rest.length ? placed(isObject(before) ? before : {}, rest, value) : value;
  return next === undefined ? others : { ...into, [name]: next };
}
