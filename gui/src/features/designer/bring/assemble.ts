/** Puts translated steps and their connections together: names that are free, no circle, notes for what needs a look. */

import { t } from "@/i18n/words";
import { type Place, reaches, snapped } from "../document/edits";
import { newEdgeId, newId, type Workflow, type WorkflowNode, type WorkflowNote } from "../document/workflow";
import {
  type Brought,
  type BroughtStep,
  type Level,
  type Made,
  type Remark,
  remark,
  type Tool,
} from "./brought";
import { keptSettings, MOST_WIRES, neutral } from "./given";

export interface Draft {
  /** Its id or name there. */
  key: string;
  /** Its name here; see `freeNames`. */
  name: string;
  was: string;
  place: Place;
  made: Made;
  remarks: Remark[];
  settings: unknown;
  /** What somebody wrote about it there. */
  note: string;
  more?: Partial<WorkflowNode>;
  /** The key of the loop that it stands in. */
  inside?: string | undefined;
}

export interface DraftWire {
  from: string;
  to: string;
  port: string | null;
}

export interface DraftNote extends Place {
  text: string;
  width: number;
  height: number;
  /** The keys of a group's steps. */
  members?: string[];
}

const LEVELS: Level[] = ["good", "check", "unknown"];
const worse = (one: Level, other: Level): Level =>
  LEVELS[Math.max(LEVELS.indexOf(one), LEVELS.indexOf(other))] ?? "check";
const LONGEST_NOTE = 4000;

/** Give each key a name that nothing else has: "Delay", "Delay 2". */
export function freeNames(
  wanted: readonly { key: string; name: string }[],
  taken: Iterable<string>,
): Map<string, string> {
  const used = new Set(taken);
  const names = new Map<string, string>();
  for (const { key, name } of wanted) {
    let free = name;
    for (let count = 2; used.has(free); count++) free = `${name} ${count}`;
    used.add(free);
    names.set(key, free);
  }
  return names;
}

/** Make a workflow and its report of drafts; `merged` are those that became part of another step. */
export function assemble(given: {
  tool: Tool;
  name: string;
  drafts: Draft[];
  wires: DraftWire[];
  notes: DraftNote[];
  merged: BroughtStep[];
  remarks: Remark[];
}): Brought {
  const ids = new Map(given.drafts.map((draft) => [draft.key, newId()]));
  const byKey = new Map(given.drafts.map((draft) => [draft.key, draft]));
  const workflow: Workflow = { nodes: [], connections: [] };
  for (const wire of given.wires.slice(0, MOST_WIRES)) addWire(workflow, wire, ids, byKey);
  const steps = given.drafts.map((draft) => {
    const id = ids.get(draft.key) ?? newId();
    workflow.nodes.push(nodeOf(draft, id, given.tool, draft.inside ? ids.get(draft.inside) : undefined));
    const level = worse(draft.made.level ?? "good", draft.remarks.length ? "check" : "good");
    return { id, name: draft.name, was: draft.was, level, remarks: draft.remarks };
  });
  const notes: WorkflowNote[] = given.notes.map(({ members, ...note }) => ({
    ...note,
    id: newId(),
    ...(members ? { members: members.flatMap((key) => ids.get(key) ?? []) } : {}),
  }));
  return {
    tool: given.tool,
    name: given.name,
    workflow: notes.length ? { ...workflow, notes } : workflow,
    steps: [...steps, ...given.merged],
    remarks: given.remarks,
  };
}

function addWire(
  workflow: Workflow,
  { from, to, port }: DraftWire,
  ids: ReadonlyMap<string, string>,
  byKey: ReadonlyMap<string, Draft>,
): void {
  const [source, target, draft] = [ids.get(from), ids.get(to), byKey.get(from)];
  if (!source || !target || !draft) return;
  const name = byKey.get(to)?.name ?? to;
  if (port === null) draft.remarks.push(remark("bring.port", { name }));
  else if (source === target || reaches(workflow, target, source))
    draft.remarks.push(remark("bring.circle", { name }));
  else if (draft.inside !== byKey.get(to)?.inside) draft.remarks.push(remark("bring.loopEnd", { name }));
  else {
    workflow.connections.push({
      id: newEdgeId(),
      source,
      target,
      source_port_name: port,
      target_port_name: "input",
    });
  }
}

function nodeOf(draft: Draft, id: string, tool: Tool, parent: string | undefined): WorkflowNode {
  const { made, remarks } = draft;
  const looked = remarks.length > 0 || made.level === "check" || made.level === "unknown";
  const lines = looked ? [t("bring.noteWas", { was: draft.was, tool }), ...remarks.map(said)] : [];
  const note = [...lines, draft.note].filter(Boolean).join("\n").slice(0, LONGEST_NOTE);
  const data = {
    ...(note ? { note } : {}),
    ...(looked ? { imported: { tool, type: draft.was, settings: keptSettings(draft.settings) } } : {}),
  };
  return {
    id,
    name: draft.name,
    module_id: made.module,
    ...snapped(draft.place),
    config_values: made.config,
    ...draft.more,
    ...(made.disabled ? { disabled: true } : {}),
    ...(parent ? { parent_id: parent } : {}),
    ...(Object.keys(data).length ? { data } : {}),
  };
}

/** A remark in the person's language; what stood in the text of strangers is never read as an expression. */
export const said = ({ word, values }: Remark): string => neutral(t(word, values));
