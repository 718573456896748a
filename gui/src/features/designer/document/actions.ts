/** What a person does to the workflow, in the words of the store: add, copy, paste, delete, tidy up. */

import { t } from "@/i18n/words";
import { tell, tellError } from "@/ui/toasts";
import { defaultsOf, isErrorPort, type Listed, portsOf, useCatalog } from "../palette/catalog";
import { bring, isForeign } from "../bring/put";
import type { Aim } from "../view";
import { loopOf, withInside } from "./bodies";
import { copyText, pasteText } from "./clipboard";
import {
  addNote,
  connect,
  freeName,
  insertOnWire,
  move,
  nodeOf,
  type Place,
  remove,
  snapped,
  toggleDisabled,
  withNode,
} from "./edits";
import { group, toggleCollapsed, ungroup, withMembers } from "./groups";
import { type Alignment, align, NODE_HEIGHT, NODE_WIDTH, tidy } from "./layout";
import { useDocument, workflowNow } from "./store";
import { newId, type Workflow, type WorkflowNode } from "./workflow";

const LONGEST_PASTE = 20 * 1024 * 1024;

const edit = (change: (workflow: Workflow) => Workflow, kind: string | null = null) =>
  useDocument.getState().edit(change, kind);
const chosenIds = () => useDocument.getState().chosen;
const componentOf = (node: WorkflowNode) => useCatalog.getState().byId[node.module_id];

export function firstPorts(node: WorkflowNode): { input: string | null; output: string | null } {
  const { inputs, outputs } = portsOf(node, componentOf(node));
  const output = outputs.find((port) => !isErrorPort(port.name)) ?? outputs[0];
  return { input: inputs[0]?.name ?? null, output: output?.name ?? null };
}

/** Add a node of a component where the aim says, connected as it says; returns the node's id. */
export function addComponent(component: Listed, aim: Aim): string {
  const workflow = workflowNow();
  const node: WorkflowNode = {
    id: newId(),
    name: freeName(workflow, component.name),
    module_id: component.id,
    ...freePlace(workflow, snapped(aim.place)),
    config_values: defaultsOf(component),
  };
  const beside = aim.from?.node ?? workflow.connections.find(({ id }) => id === aim.wire)?.source;
  const loop = loopOf(nodeOf(workflow, beside ?? "") ?? node);
  const ports = firstPorts(node);
  let next = withNode(workflow, loop ? { ...node, parent_id: loop } : node);
  if (aim.wire) next = insertOnWire(next, aim.wire, node.id, ports);
  else if (aim.from?.end === "source" && ports.input !== null) {
    const { node: source, port } = aim.from;
    next = connect(next, { source, sourcePort: port, target: node.id, targetPort: ports.input });
  } else if (aim.from?.end === "target") {
    const { node: target, port } = aim.from;
    next = connect(next, { source: node.id, sourcePort: ports.output, target, targetPort: port });
  }
  edit(() => next);
  useDocument.getState().choose([node.id]);
  return node.id;
}

/** Connect a port with the first port of another step that fits, as when a wire is dropped on a step. */
export function connectSteps(from: NonNullable<Aim["from"]>, other: string): void {
  const step = nodeOf(workflowNow(), other);
  if (!step || other === from.node) return;
  const ports = firstPorts(step);
  const wire =
    from.end === "source"
      ? { source: from.node, sourcePort: from.port, target: other, targetPort: ports.input }
      : { source: other, sourcePort: ports.output, target: from.node, targetPort: from.port };
  if ((from.end === "source" ? ports.input : ports.output) !== null) edit((now) => connect(now, wire));
}

/** A place that no node covers: the wanted one, or further down. */
function freePlace(workflow: Workflow, wanted: Place): Place {
  const place = { ...wanted };
  const covered = () =>
    workflow.nodes.some(
      (node) =>
        Math.abs(node.x - place.x) < NODE_WIDTH * 0.6 && Math.abs(node.y - place.y) < NODE_HEIGHT * 0.8,
    );
  for (let tries = 0; tries < 50 && covered(); tries++) place.y += NODE_HEIGHT + 36;
  return place;
}

/** Where the next node belongs when nobody pointed anywhere: right of the chosen one, connected to it. */
export function nextAim(middle: Place): Aim {
  const workflow = workflowNow();
  const [only] = chosenIds();
  const node = chosenIds().size === 1 && only ? nodeOf(workflow, only) : undefined;
  if (!node) return { place: middle };
  const { output } = firstPorts(node);
  return {
    place: { x: node.x + NODE_WIDTH + 80, y: node.y },
    ...(output === null ? {} : { from: { node: node.id, port: output, end: "source" as const } }),
  };
}

export function deleteChosen(): void {
  const ids = chosenIds();
  edit((workflow) => remove(workflow, ids));
  useDocument.getState().choose([]);
}

export async function copyChosen(cut = false): Promise<void> {
  const text = copyText(workflowNow(), chosenIds());
  if (text === null) return;
  try {
    await navigator.clipboard.writeText(text);
    if (cut) deleteChosen();
  } catch {
    tell(t("designer.noClipboard"), "bad");
  }
}

/** Put a text on the canvas: steps of ours, or a workflow of n8n or Node-RED. */
export function paste(text: string, place: Place | null): void {
  try {
    if (text.length <= LONGEST_PASTE && isForeign(JSON.parse(text))) {
      bring(text, place).then((known) => known || tell(t("designer.pasteNoJson"), "bad"), tellError);
      return;
    }
    const pasted = pasteText(workflowNow(), text, place);
    edit(() => pasted.workflow);
    useDocument.getState().choose(pasted.ids);
  } catch (error) {
    if (error instanceof SyntaxError) tell(t("designer.pasteNoJson"), "bad");
    else tellError(error);
  }
}

export async function pasteFromClipboard(place: Place | null): Promise<void> {
  try {
    paste(await navigator.clipboard.readText(), place);
  } catch {
    tell(t("designer.noClipboard"), "bad");
  }
}

export function duplicateChosen(): void {
  const text = copyText(workflowNow(), chosenIds());
  if (text !== null) paste(text, null);
}

export const toggleChosen = (): void =>
  edit((workflow) => toggleDisabled(workflow, withMembers(workflow, chosenIds())));

export function groupChosen(heights?: ReadonlyMap<string, number>): void {
  const { workflow, id } = group(workflowNow(), withInside(workflowNow(), chosenIds()), heights);
  if (id === null) return;
  edit(() => workflow);
  useDocument.getState().choose([id]);
}

export function collapseChosen(): void {
  const before = workflowNow();
  const after = toggleCollapsed(before, chosenIds());
  if (after === before) return;
  edit(() => after);
  const changed = (after.notes ?? []).filter((note) => !before.notes?.includes(note));
  useDocument.getState().choose(changed.map(({ id }) => id));
}

export const ungroupChosen = (): void => edit((workflow) => ungroup(workflow, chosenIds()));
export const alignChosen = (how: Alignment): void => edit((workflow) => align(workflow, chosenIds(), how));
export const tidyUp = (heights?: ReadonlyMap<string, number>): void =>
  edit((workflow) => tidy(workflow, chosenIds(), heights));

export function noteAt(place: Place): void {
  const { workflow, id } = addNote(workflowNow(), place);
  edit(() => workflow);
  useDocument.getState().choose([id]);
}

export function nudge(x: number, y: number): void {
  edit((workflow) => {
    const ids = withMembers(workflow, chosenIds());
    const items = [...workflow.nodes, ...(workflow.notes ?? [])].filter((item) => ids.has(item.id));
    return move(workflow, new Map(items.map((item) => [item.id, { x: item.x + x, y: item.y + y }])));
  }, "nudge");
}

export function selectAll(): void {
  const { nodes, notes = [] } = workflowNow();
  useDocument.getState().choose([...nodes, ...notes].map((item) => item.id));
}
