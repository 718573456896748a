/** Puts two persons' changes of one workflow together, item by item; where both changed the same, mine stays. */

import { canonicalJson } from "@/crypto/preset";
import type { Workflow } from "../document/workflow";

interface Item {
  id: string;
}

const same = (one: unknown, other: unknown): boolean =>
  one === undefined || other === undefined ? one === other : canonicalJson(one) === canonicalJson(other);

/** Return the union of both changes since `base`, and how many items both had changed differently. */
export function merge(
  base: Workflow,
  mine: Workflow,
  theirs: Workflow,
): { workflow: Workflow; clashes: number } {
  const nodes = mergeItems(base.nodes, mine.nodes, theirs.nodes);
  const connections = mergeItems(base.connections, mine.connections, theirs.connections);
  const notes = mergeItems(base.notes ?? [], mine.notes ?? [], theirs.notes ?? []);
  const ids = new Set(nodes.items.map((node) => node.id));
  const workflow: Workflow = {
    ...theirs,
    ...mine,
    nodes: nodes.items,
    connections: connections.items.filter(({ source, target }) => ids.has(source) && ids.has(target)),
    ...(notes.items.length ? { notes: notes.items } : {}),
  };
  return { workflow, clashes: nodes.clashes + connections.clashes + notes.clashes };
}

function mergeItems<Kind extends Item>(
  base: readonly Kind[],
  mine: readonly Kind[],
  theirs: readonly Kind[],
) {
  const was = new Map(base.map((item) => [item.id, item]));
  const my = new Map(mine.map((item) => [item.id, item]));
  const their = new Map(theirs.map((item) => [item.id, item]));
  const items: Kind[] = [];
  let clashes = 0;
  for (const id of new Set([...their.keys(), ...my.keys()])) {
    const [before, left, right] = [was.get(id), my.get(id), their.get(id)];
    const iChanged = !same(before, left);
    const theyChanged = !same(before, right);
    if (iChanged && theyChanged && !same(left, right)) clashes++;
    // What one deleted and the other changed is kept: a deletion is done again more easily than lost work.
    const kept = iChanged ? (left ?? (theyChanged ? right : undefined)) : right;
    if (kept) items.push(kept);
  }
  return { items, clashes };
}
