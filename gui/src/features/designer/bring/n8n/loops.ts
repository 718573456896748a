/** The loops of n8n: what stands between "Loop Over Items" and its way back becomes the inside of a For each. */

import type { Wire } from "./flow";

/** Which steps stand in the loop of which step, by name. */
export function bodiesOf(
  loops: readonly { name: string; way: number }[],
  wires: readonly Wire[],
): Map<string, string> {
  const forward = grouped(wires, "from", "to");
  const backward = grouped(wires, "to", "from");
  const bodies = loops.map(({ name, way }) => {
    const firsts = wires.filter((wire) => wire.from === name && wire.output === way).map(({ to }) => to);
    const after = reach(firsts, forward, name);
    const before = reach(backward.get(name) ?? [], backward, name);
    return { name, steps: [...after].filter((step) => before.has(step) && step !== name) };
  });
  // a loop in a loop is the smaller one: its steps stand in it, and it stands in the other
  bodies.sort((one, other) => one.steps.length - other.steps.length);
  const inside = new Map<string, string>();
  for (const { name, steps } of bodies)
    for (const step of steps) if (!inside.has(step)) inside.set(step, name);
  return inside;
}

function grouped(wires: readonly Wire[], key: "from" | "to", value: "from" | "to"): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const wire of wires) {
    const list = found.get(wire[key]);
    if (list) list.push(wire[value]);
    else found.set(wire[key], [wire[value]]);
  }
  return found;
}

/** What can be reached without going through one step. */
function reach(from: readonly string[], next: ReadonlyMap<string, string[]>, without: string): Set<string> {
  const seen = new Set<string>();
  const open = from.filter((name) => name !== without);
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (seen.has(name)) continue;
    seen.add(name);
    for (const other of next.get(name) ?? []) if (other !== without) open.push(other);
  }
  return seen;
}
