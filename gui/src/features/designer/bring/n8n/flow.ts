/** A workflow of n8n, whole or as it lies on the clipboard, as ours. */

import { assemble, type Draft, type DraftNote, type DraftWire, freeNames } from "../assemble";
import { type Brought, type BroughtStep, type Made, type Remark, remark } from "../brought";
import {
  at,
  entryOf,
  type Given,
  isGiven,
  listAt,
  MOST_STEPS,
  MOST_WIRES,
  nameOf,
  numberAt,
  objectAt,
  placeOf,
  textAt,
} from "../given";
import { DATA } from "./data-steps";
import type { Scope } from "./expressions";
import { LOGIC, type Make } from "./logic-steps";
import { bodiesOf } from "./loops";
import { NETWORK, serviceCall } from "./network-steps";
import { Values } from "./values";

export interface Wire {
  from: string;
  output: number;
  to: string;
}

interface Step {
  name: string;
  kind: string;
  given: Given;
}

const MAKERS: Record<string, Make> = { ...LOGIC, ...DATA, ...NETWORK };
/** Components that hand their input on, so that what followed finds it in the same place. */
const PASSING = new Set([
  "if_condition",
  "switch",
  "wait_until",
  "webhook_response",
  "date_time",
  "hash",
  "set_fields",
]);
const STRETCH = { x: 1.4, y: 1.1 };

export const isN8n = (given: unknown): given is Given =>
  isGiven(given) &&
  isGiven(given.connections) &&
  Array.isArray(given.nodes) &&
  given.nodes.some((node) => isGiven(node) && typeof node.type === "string" && typeof node.name === "string");

/** Translate; names that are `taken` on the canvas are not used again. */
export function fromN8n(given: Given, taken: Iterable<string>): Brought {
  const found = listAt(given, "nodes").filter(isGiven);
  const steps = stepsOf(found.slice(0, MOST_STEPS));
  const all = wiresOf(objectAt(given, "connections"));
  const subs = new Map(all.ai.map(({ from, to }) => [from, to]));
  const main = steps.filter(({ kind, name }) => kind !== "stickyNote" && !subs.has(name));
  const names = freeNames(
    main.map(({ name }) => ({ key: name, name: nameOf(name) || "?" })),
    taken,
  );
  const loops = main
    .filter(({ kind }) => kind === "splitInBatches")
    .map(({ name, given: node }) => ({ name, way: (numberAt(node, "typeVersion") ?? 1) >= 3 ? 1 : 0 }));
  const inside = bodiesOf(loops, all.main);
  const attached = (name: string) => steps.filter((step) => subs.get(step.name) === name);
  const roots = rootsOf(main, all.main, inside);
  const nodes = new Map(
    main.map(({ name }) => [name, { name: names.get(name) ?? name, root: roots.after(name) }]),
  );
  const zone = textAt(given, "settings", "timezone");
  const drafts = main.map((step) => {
    const values = valuesOf(step, { root: roots.before(step.name), nodes }, attached(step.name));
    return draftOf(step, values, names.get(step.name) ?? step.name, inside.get(step.name), zone);
  });
  return assemble({
    tool: "n8n",
    name: nameOf(given.name),
    drafts,
    wires: portsOf(all.main, drafts, main, new Map(loops.map(({ name, way }) => [name, way])), inside),
    notes: steps.filter(({ kind }) => kind === "stickyNote").map(noteOf),
    merged: steps.filter(({ name }) => subs.has(name)).map((step) => mergedOf(step, subs, names)),
    remarks: general(given, found.length),
  });
}

function stepsOf(nodes: readonly Given[]): Step[] {
  const seen = new Set<string>();
  return nodes.flatMap((given) => {
    const name = textAt(given, "name");
    if (!name || seen.has(name)) return [];
    seen.add(name);
    return [{ name, kind: textAt(given, "type").replace(/^.*\./, "").slice(0, 80), given }];
  });
}

function wiresOf(connections: Given): { main: Wire[]; ai: Wire[] } {
  const found = { main: [] as Wire[], ai: [] as Wire[] };
  for (const [from, kinds] of Object.entries(connections)) {
    if (!isGiven(kinds)) continue;
    for (const [kind, outputs] of Object.entries(kinds)) {
      if (!Array.isArray(outputs)) continue;
      outputs.slice(0, 100).forEach((targets, output) => {
        for (const target of Array.isArray(targets) ? targets : []) {
          const wire = { from, output, to: textAt(target, "node") };
          if (wire.to) (kind === "main" ? found.main : found.ai).push(wire);
        }
      });
    }
  }
  return { main: found.main.slice(0, MOST_WIRES), ai: found.ai.slice(0, MOST_WIRES) };
}

const valuesOf = (step: Step, scope: Scope, attached: readonly Step[] = []): Values =>
  new Values(
    objectAt(step.given, "parameters"),
    numberAt(step.given, "typeVersion") ?? 1,
    scope,
    attached.map(({ kind, given }) => ({ type: kind, given: objectAt(given, "parameters") })),
  );

const makerOf = (kind: string): Make | undefined => entryOf(MAKERS, kind);

function make({ kind, given }: Step, values: Values): Made {
  const maker = makerOf(kind);
  const made = maker ? maker(values) : serviceCall(kind.replace(/(?:Tool)$/, ""), values);
  if (made) return made;
  const trigger = /trigger$/i.test(kind);
  values.note(trigger ? "bring.unknownTrigger" : "bring.unknown", {
    was: textAt(given, "type").slice(0, 120),
  });
  return { module: "set_fields", config: {}, level: "unknown", disabled: true };
}

/** Where the data of a step holds what was its item there, before the step and after it. */
function rootsOf(steps: readonly Step[], wires: readonly Wire[], inside: ReadonlyMap<string, string>) {
  const empty: Scope = { root: "data", nodes: new Map() };
  const made = new Map(steps.map((step) => [step.name, make(step, valuesOf(step, empty))]));
  const sources = new Map<string, string[]>();
  for (const { from, to } of wires) sources.set(to, [...(sources.get(to) ?? []), from]);
  const before = (name: string, depth = 0): string => {
    const from = sources.get(name) ?? [];
    const loop = inside.get(name);
    if (loop && from.includes(loop)) return "data.item";
    const [first, ...others] = [...new Set(from.map((source) => after(source, depth + 1)))];
    return others.length ? "data" : (first ?? "data");
  };
  // looked up once for each depth: the ways through many forks are more than can be walked
  const known = new Map<string, string>();
  const after = (name: string, depth = 0): string => {
    const place = `${depth} ${name}`;
    const found = known.get(place) ?? rootOf(name, depth);
    known.set(place, found);
    return found;
  };
  const rootOf = (name: string, depth: number): string => {
    const step = made.get(name);
    if (!step || depth > 50) return "data";
    if (step.root) return step.root;
    return PASSING.has(step.module) && step.config.keep_input !== false ? before(name, depth) : "data";
  };
  return { before: (name: string) => before(name), after: (name: string) => after(name) };
}

function draftOf(step: Step, values: Values, name: string, loop: string | undefined, zone: string): Draft {
  const { given } = step;
  const made = make(step, values);
  if (made.module === "cron_trigger" && /^[\w+/-]{1,60}$/.test(zone)) made.config.timezone = zone;
  const keys = Object.values(objectAt(given, "credentials"))
    .map((item) => nameOf(at(item, "name")))
    .filter(Boolean);
  if (keys.length) values.note("bring.credentials", { names: keys.slice(0, 5).join(", ") });
  const tries = at(given, "retryOnFail") === true ? (numberAt(given, "maxTries") ?? 3) : 0;
  const [x, y] = listAt(given, "position");
  return {
    key: step.name,
    name,
    was: textAt(given, "type").slice(0, 120) || "?",
    place: { x: placeOf(x) * STRETCH.x, y: placeOf(y) * STRETCH.y },
    made,
    remarks: values.remarks,
    settings: given.parameters,
    note: textAt(given, "notes").slice(0, 2000),
    inside: loop,
    more: {
      ...(given.disabled === true ? { disabled: true } : {}),
      ...(tries > 1
        ? {
            retry: {
              attempts: Math.min(100, tries),
              delay_seconds: Math.max(0, (numberAt(given, "waitBetweenTries") ?? 1000) / 1000),
              backoff: 1,
            },
          }
        : {}),
    },
  };
}

/** The connections with our ports; into the inside of a loop and back there are none. */
function portsOf(
  wires: readonly Wire[],
  drafts: readonly Draft[],
  steps: readonly Step[],
  loops: ReadonlyMap<string, number>,
  inside: ReadonlyMap<string, string>,
): DraftWire[] {
  const byKey = new Map(drafts.map((draft) => [draft.key, draft]));
  const given = new Map(steps.map((step) => [step.name, step.given]));
  return wires.flatMap(({ from, output, to }) => {
    const draft = byKey.get(from);
    if (!draft || inside.get(to) === from || inside.get(from) === to) return [];
    const way = loops.get(from);
    if (way !== undefined) return output === way ? [] : [{ from, to, port: "success" }];
    const ports = draft.made.ports ?? [draft.made.module.endsWith("_trigger") ? "output" : "success"];
    const onError = textAt(given.get(from), "onError");
    const goesOn = onError === "continueRegularOutput" || at(given.get(from), "continueOnFail") === true;
    const hasError = onError === "continueErrorOutput" && output === ports.length;
    const wire = { from, to, port: ports[output] ?? (hasError ? "error" : null) };
    return goesOn && output === 0 && ports.length === 1 ? [wire, { from, to, port: "error" }] : [wire];
  });
}

function noteOf({ given }: Step): DraftNote {
  const [x, y] = listAt(given, "position");
  return {
    text: textAt(given, "parameters", "content").slice(0, 10_000),
    x: placeOf(x) * STRETCH.x,
    y: placeOf(y) * STRETCH.y,
    width: Math.min(4000, Math.max(120, (numberAt(given.parameters, "width") ?? 240) * STRETCH.x)),
    height: Math.min(4000, Math.max(60, (numberAt(given.parameters, "height") ?? 160) * STRETCH.y)),
  };
}

function mergedOf(
  { name, given }: Step,
  subs: ReadonlyMap<string, string>,
  names: ReadonlyMap<string, string>,
): BroughtStep {
  const into = names.get(subs.get(name) ?? "") ?? "?";
  const was = textAt(given, "type").slice(0, 120);
  return {
    id: null,
    name: nameOf(name),
    was,
    level: "check",
    remarks: [remark("bring.merged", { name: into })],
  };
}

function general(given: Given, count: number): Remark[] {
  const pins = Object.keys(objectAt(given, "pinData")).length;
  return [
    remark("bring.itemwise"),
    ...(count > MOST_STEPS ? [remark("bring.tooMany", { count, most: MOST_STEPS })] : []),
    ...(pins ? [remark("bring.pins", { count: pins })] : []),
  ];
}
