/** A flow of Node-RED, as its menu exports it, as ours. */

import { assemble, type Draft, type DraftNote, type DraftWire, freeNames } from "../assemble";
import { type Brought, type Made, type Remark, remark } from "../brought";
import {
  entryOf,
  type Given,
  isGiven,
  listAt,
  MOST_STEPS,
  MOST_WIRES,
  nameOf,
  numberAt,
  placeOf,
  textAt,
} from "../given";
import { STEPS } from "./steps";
import { Values } from "./values";

/** Nodes through which messages only go: their connections are drawn from end to end. */
const THROUGH = new Set(["junction", "link in", "link out"]);
const NO_STEP = new Set(["tab", "group", "comment", "subflow", ...THROUGH]);
/** Components that leave the message where it was. */
const PASSING = new Set([
  "switch",
  "delay",
  "rate_limit",
  "debug_popup_module",
  "webhook_response",
  "mqtt_publish",
  "write_file",
]);
const STRETCH = { x: 1.5, y: 1.6 };
const TAB_HEIGHT = 1200;

type Flow = Given & { id: string; type: string };
const isNode = (item: unknown): item is Flow =>
  isGiven(item) && typeof item.id === "string" && item.id !== "" && typeof item.type === "string";

/** The nodes of an export, which is a list or has one as `flows`; null where it is none. */
export function nodesOfRed(given: unknown): Flow[] | null {
  const list: unknown = isGiven(given) ? given.flows : given;
  if (!Array.isArray(list) || !list.length || !list.every(isNode)) return null;
  return list.some((node) => Array.isArray(node.wires) || node.type === "tab") ? list : null;
}

/** Translate; names that are `taken` on the canvas are not used again. */
export function fromNodeRed(list: Flow[], taken: Iterable<string>): Brought {
  const found = list.slice(0, MOST_STEPS);
  const byId = new Map(found.map((node) => [node.id, node]));
  const isStep = (node: Flow) =>
    !NO_STEP.has(node.type) && Array.isArray(node.wires) && typeof node.x === "number";
  const subflows = new Set(found.filter(({ type }) => type === "subflow").map(({ id }) => id));
  const steps = found.filter((node) => isStep(node) && !subflows.has(textAt(node, "z")));
  const tabs = found.filter(({ type }) => type === "tab").map(({ id }) => id);
  const place = (node: Given) => ({
    x: placeOf(node.x) * STRETCH.x,
    y: placeOf(node.y) * STRETCH.y + Math.max(0, tabs.indexOf(textAt(node, "z"))) * TAB_HEIGHT,
  });
  const names = freeNames(
    steps.map((node) => ({ key: node.id, name: nameOf(node.name) || nameOf(node.type) })),
    taken,
  );
  const wires = wiresOf(steps, byId);
  const roots = rootsOf(steps, wires, byId);
  const drafts = steps.map((node): Draft => {
    const values = new Values(node, roots(node.id), byId);
    const made = make(node, values);
    return {
      key: node.id,
      name: names.get(node.id) ?? node.type,
      was: node.type.slice(0, 120),
      place: place(node),
      made,
      remarks: values.remarks,
      settings: node,
      note: textAt(node, "info").slice(0, 2000),
      ...(node.d === true ? { more: { disabled: true } } : {}),
    };
  });
  return assemble({
    tool: "Node-RED",
    name: nameOf(found.find(({ type }) => type === "tab")?.label),
    drafts,
    wires: portsOf(wires, drafts),
    notes: notesOf(
      found.filter((node) => !subflows.has(textAt(node, "z"))),
      place,
    ),
    merged: [],
    remarks: general(list.length, subflows.size),
  });
}

function make(node: Flow, values: Values): Made {
  const maker = entryOf(STEPS, node.type);
  if (maker) return maker(values);
  const sub = node.type.startsWith("subflow:");
  values.note(sub ? "bring.subflow" : "bring.unknown", { was: node.type.slice(0, 120) });
  return { module: "set_fields", config: {}, level: "unknown", disabled: true };
}

interface Wire {
  from: string;
  output: number;
  to: string;
}

function wiresOf(steps: readonly Flow[], byId: ReadonlyMap<string, Flow>): Wire[] {
  const found = steps.flatMap((node) =>
    listAt(node, "wires")
      .slice(0, 100)
      .flatMap((targets, output) =>
        ends(Array.isArray(targets) ? targets : [], byId).map((to) => ({ from: node.id, output, to })),
      ),
  );
  return found.slice(0, MOST_WIRES);
}

/** The nodes that connections end at, through junctions and links. */
function ends(targets: readonly unknown[], byId: ReadonlyMap<string, Flow>): string[] {
  const seen = new Set<string>();
  const found = new Set<string>();
  const open = targets.filter((id): id is string => typeof id === "string");
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    const node = byId.get(id);
    if (!node || seen.has(id)) continue;
    seen.add(id);
    if (!THROUGH.has(node.type)) found.add(id);
    else if (node.type === "link out") open.push(...texts(node.links));
    else open.push(...listAt(node, "wires").flatMap(texts));
  }
  return [...found].reverse();
}

const texts = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];

/** Where the data that comes to a step holds what was msg.payload. */
function rootsOf(steps: readonly Flow[], wires: readonly Wire[], byId: ReadonlyMap<string, Flow>) {
  const made = new Map(steps.map((node) => [node.id, make(node, new Values(node, "data.payload", byId))]));
  const sources = new Map<string, string[]>();
  for (const { from, to } of wires) sources.set(to, [...(sources.get(to) ?? []), from]);
  const before = (id: string, depth = 0): string => {
    const [first, ...others] = [
      ...new Set((sources.get(id) ?? []).map((source) => after(source, depth + 1))),
    ];
    return others.length ? "data.payload" : (first ?? "data.payload");
  };
  // looked up once for each depth: the ways through many forks are more than can be walked
  const known = new Map<string, string>();
  const after = (id: string, depth: number): string => {
    const place = `${depth} ${id}`;
    const found = known.get(place) ?? rootOf(id, depth);
    known.set(place, found);
    return found;
  };
  const rootOf = (id: string, depth: number): string => {
    const step = made.get(id);
    if (!step || depth > 50) return "data.payload";
    return step.root ?? (PASSING.has(step.module) ? before(id, depth) : "data.payload");
  };
  return (id: string) => before(id);
}

function portsOf(wires: readonly Wire[], drafts: readonly Draft[]): DraftWire[] {
  const made = new Map(drafts.map((draft) => [draft.key, draft.made]));
  return wires.map(({ from, output, to }) => {
    const step = made.get(from);
    const ports = step?.ports ?? [step?.module.endsWith("_trigger") ? "output" : "success"];
    return { from, to, port: ports[output] ?? null };
  });
}

function notesOf(nodes: readonly Flow[], place: (node: Given) => { x: number; y: number }): DraftNote[] {
  return nodes.flatMap((node) => {
    if (node.type === "comment") {
      const text = [nameOf(node.name), textAt(node, "info").slice(0, 10_000)].filter(Boolean).join("\n");
      return [{ ...place(node), text, width: 240, height: 120 }];
    }
    if (node.type !== "group") return [];
    const size = (name: string, by: number) =>
      Math.min(8000, Math.max(160, (numberAt(node, name) ?? 200) * by));
    const frame = { width: size("w", STRETCH.x) + 120, height: size("h", STRETCH.y) + 60 };
    return [{ ...place(node), ...frame, text: nameOf(node.name), members: texts(node.nodes) }];
  });
}

const general = (count: number, subflows: number): Remark[] => [
  remark("bring.messagewise"),
  ...(count > MOST_STEPS ? [remark("bring.tooMany", { count, most: MOST_STEPS })] : []),
  ...(subflows ? [remark("bring.subflows", { count: subflows })] : []),
];
