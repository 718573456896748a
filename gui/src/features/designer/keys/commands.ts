/** Everything the designer can do by name and by key: the help sheet, the command bar and the keyboard read this. */

import type { ReactFlowInstance } from "@xyflow/react";
import { useSession } from "@/app/session";
import type { Word } from "@/i18n/words";
import { toggleBreakpoints, togglePins } from "../debug/aids";
import {
  alignChosen,
  collapseChosen,
  copyChosen,
  deleteChosen,
  duplicateChosen,
  groupChosen,
  nextAim,
  noteAt,
  nudge,
  pasteFromClipboard,
  selectAll,
  tidyUp,
  toggleChosen,
  ungroupChosen,
} from "../document/actions";
import { GRID, type Place } from "../document/edits";
import { useDocument, workflowNow } from "../document/store";
import { useRun } from "../run/store";
import { openFile, saveFile } from "../save/files";
import { publish, save } from "../save/save";
import { toggleMap, useView } from "../view";
import { walk } from "./walk";

export interface Command {
  id: string;
  word: Word;
  /** Keys as the person presses them: Mod is Ctrl, or Cmd on a Mac. */
  keys: string[];
  run(flow: ReactFlowInstance): void;
  /** Left out of the command bar: it only makes sense as a key. */
  keyOnly?: boolean;
}

const show = useView.getState().show;
const chosenOne = (): string | undefined => {
  const { chosen } = useDocument.getState();
  return workflowNow().nodes.find((node) => chosen.has(node.id))?.id;
};

const chosenIn = (items: readonly { id: string }[]): string[] =>
  items.filter(({ id }) => useDocument.getState().chosen.has(id)).map(({ id }) => id);
const chosenSteps = (): string[] => chosenIn(workflowNow().nodes);
/** The connections that are chosen, or those that leave the chosen steps. */
function chosenWires(): string[] {
  const { connections } = workflowNow();
  const wires = chosenIn(connections);
  const steps = new Set(chosenSteps());
  return wires.length ? wires : connections.filter(({ source }) => steps.has(source)).map(({ id }) => id);
}

function middle(flow: ReactFlowInstance): Place {
  const box = document.querySelector(".canvas")?.getBoundingClientRect();
  if (!box) return { x: 0, y: 0 };
  return flow.screenToFlowPosition({ x: box.x + box.width / 2 - 110, y: box.y + box.height / 2 - 40 });
}

function heights(flow: ReactFlowInstance): Map<string, number> {
  return new Map(
    flow.getNodes().flatMap((node) => (node.measured?.height ? [[node.id, node.measured.height]] : [])),
  );
}

const arrows: [string, number, number][] = [
  ["ArrowLeft", -1, 0],
  ["ArrowRight", 1, 0],
  ["ArrowUp", 0, -1],
  ["ArrowDown", 0, 1],
];

export const COMMANDS: Command[] = [
  { id: "add", word: "command.add", keys: ["N", "Tab"], run: (flow) => show({ aim: nextAim(middle(flow)) }) },
  { id: "run", word: "command.run", keys: ["Mod+Enter"], run: () => void useRun.getState().start("EXECUTE") },
  {
    id: "simulate",
    word: "command.simulate",
    keys: ["Mod+Shift+Enter"],
    run: () => void useRun.getState().start("SIMULATE"),
  },
  { id: "runHere", word: "command.runHere", keys: ["Shift+Enter"], run: () => runFromHere() },
  { id: "pause", word: "command.pause", keys: [], run: () => void useRun.getState().steer("pause_workflow") },
  {
    id: "resume",
    word: "command.resume",
    keys: [],
    run: () => void useRun.getState().steer("resume_workflow"),
  },
  { id: "stop", word: "command.stop", keys: [], run: () => void useRun.getState().steer("stop_workflow") },
  { id: "save", word: "command.save", keys: ["Mod+S"], run: () => void save() },
  { id: "publish", word: "command.publish", keys: ["Shift+P"], run: () => void publish() },
  { id: "versions", word: "command.versions", keys: [], run: () => show({ sheet: "versions" }) },
  { id: "export", word: "command.export", keys: [], run: () => saveFile() },
  { id: "import", word: "command.import", keys: [], run: () => openFile() },
  { id: "undo", word: "command.undo", keys: ["Mod+Z"], run: () => useDocument.getState().undo() },
  {
    id: "redo",
    word: "command.redo",
    keys: ["Mod+Shift+Z", "Mod+Y"],
    run: () => useDocument.getState().redo(),
  },
  { id: "copy", word: "command.copy", keys: ["Mod+C"], run: () => void copyChosen() },
  { id: "cut", word: "command.cut", keys: ["Mod+X"], run: () => void copyChosen(true) },
  { id: "paste", word: "command.paste", keys: ["Mod+V"], run: () => void pasteFromClipboard(null) },
  { id: "duplicate", word: "command.duplicate", keys: ["Mod+D"], run: () => duplicateChosen() },
  { id: "selectAll", word: "command.selectAll", keys: ["Mod+A"], run: () => selectAll() },
  { id: "delete", word: "command.delete", keys: ["Delete", "Backspace"], run: () => deleteChosen() },
  {
    id: "open",
    word: "command.open",
    keys: ["Enter"],
    run: () => useDocument.getState().openNode(chosenOne() ?? null),
  },
  { id: "rename", word: "command.rename", keys: ["F2"], run: () => show({ renaming: chosenOne() ?? null }) },
  { id: "disable", word: "command.disable", keys: ["D", "B"], run: () => toggleChosen() },
  { id: "pin", word: "command.pin", keys: ["P"], run: () => void togglePins(chosenSteps()) },
  { id: "breakpoint", word: "command.breakpoint", keys: ["F9"], run: () => toggleBreakpoints(chosenWires()) },
  {
    id: "continue",
    word: "command.continue",
    keys: ["F8"],
    run: () => void useRun.getState().letGo("continue"),
  },
  { id: "step", word: "command.step", keys: ["F10"], run: () => void useRun.getState().letGo("step") },
  { id: "note", word: "command.note", keys: ["Shift+S"], run: (flow) => noteAt(middle(flow)) },
  {
    id: "group",
    word: "command.group",
    keys: ["Mod+G"],
    run: (flow) => groupChosen(heights(flow)),
  },
  { id: "ungroup", word: "command.ungroup", keys: ["Mod+Shift+G"], run: () => ungroupChosen() },
  { id: "collapse", word: "command.collapse", keys: ["Alt+G"], run: () => collapseChosen() },
  { id: "tidy", word: "command.tidy", keys: ["Shift+T"], run: tidyInView },
  { id: "alignLeft", word: "command.alignLeft", keys: [], run: () => alignChosen("left") },
  { id: "alignTop", word: "command.alignTop", keys: [], run: () => alignChosen("top") },
  { id: "spaceAcross", word: "command.spaceAcross", keys: [], run: () => alignChosen("across") },
  { id: "spaceDown", word: "command.spaceDown", keys: [], run: () => alignChosen("down") },
  { id: "find", word: "command.find", keys: ["Mod+F"], run: () => show({ sheet: "find" }) },
  {
    id: "commands",
    word: "command.commands",
    keys: ["Mod+K", "Mod+Shift+P"],
    run: () => show({ sheet: "commands" }),
    keyOnly: true,
  },
  { id: "help", word: "command.help", keys: ["?"], run: () => show({ sheet: "help" }) },
  { id: "list", word: "command.list", keys: ["L"], run: () => show({ list: !useView.getState().list }) },
  {
    id: "palette",
    word: "command.palette",
    keys: [],
    run: () => show({ palette: !useView.getState().palette }),
  },
  { id: "log", word: "command.log", keys: ["G"], run: () => show({ log: !useView.getState().log }) },
  { id: "asMap", word: "command.asMap", keys: ["M"], run: () => toggleMap() },
  { id: "zoomIn", word: "command.zoomIn", keys: ["+", "="], run: (flow) => void flow.zoomIn() },
  { id: "zoomOut", word: "command.zoomOut", keys: ["-"], run: (flow) => void flow.zoomOut() },
  { id: "zoomFull", word: "command.zoomFull", keys: ["0"], run: (flow) => void flow.zoomTo(1) },
  {
    id: "fit",
    word: "command.fit",
    keys: ["1"],
    run: (flow) => void flow.fitView({ maxZoom: 1, padding: 0.2 }),
  },
  { id: "fitChosen", word: "command.fitChosen", keys: ["2"], run: (flow) => fitChosen(flow) },
  ...arrows.map(([key, x, y]) => ({
    id: `walk${key}`,
    word: "command.walk" as Word,
    keys: [key],
    run: () => walk(x, y),
    keyOnly: true,
  })),
  ...arrows.map(([key, x, y]) => ({
    id: `move${key}`,
    word: "command.move" as Word,
    keys: [`Alt+${key}`],
    run: () => nudge(x * GRID, y * GRID),
    keyOnly: true,
  })),
];

/** What belongs to the engine rather than to the one workflow that a visitor of a share link may edit. */
const NOT_FOR_VISITORS = new Set(["versions", "publish", "pin", "breakpoint", "continue", "step", "log"]);

/** Whether a command is there for who looks at the page. */
export const isOffered = ({ id }: Command): boolean =>
  useSession.getState().visitor === null || !NOT_FOR_VISITORS.has(id);

function runFromHere(): void {
  const id = chosenOne();
  if (id) void useRun.getState().start("EXECUTE", id);
}

/** Put the steps in order; a whole workflow comes into view with that, of a part the place is known. */
function tidyInView(flow: ReactFlowInstance): void {
  tidyUp(heights(flow));
  if (useDocument.getState().chosen.size < 2) void flow.fitView({ maxZoom: 1, padding: 0.2 });
}

function fitChosen(flow: ReactFlowInstance): void {
  const nodes = [...useDocument.getState().chosen].map((id) => ({ id }));
  void flow.fitView({ nodes, maxZoom: 1, padding: 0.4 });
}
