// @vitest-environment jsdom
/** Every key of the help sheet is pressed, and does what the sheet says. */
import { cleanup, render, waitFor } from "@testing-library/react";
import { ReactFlowProvider, useStoreApi } from "@xyflow/react";
import { useEffect } from "react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { useSession } from "@/app/session";
import type { EngineClient } from "@/engine/client";
import { useAids } from "../debug/aids";
import { group } from "../document/groups";
import { useDocument, workflowNow } from "../document/store";
import { readWorkflow } from "../document/workflow";
import { useRun } from "../run/store";
import { useView } from "../view";
import { COMMANDS, type Command } from "./commands";
import { Keys } from "./keys";

/** Stands in for what moves the canvas, which needs a page that is laid out. */
const panZoom = { scaleBy: vi.fn(async () => true), scaleTo: vi.fn(async () => true) };
const seen: { store?: ReturnType<typeof useStoreApi> } = {};
function Canvas() {
  seen.store = useStoreApi();
  useEffect(() => seen.store?.setState({ panZoom: panZoom as never }), []);
  return <Keys />;
}
const fitted = () => seen.store?.getState().fitViewOptions;

// jsdom has none, and walking needs it in the frame after the key
vi.stubGlobal("CSS", { escape: (text: string) => text });

/** Stands in for the engine: it notes what it was asked. */
const asked: [string, Record<string, unknown>][] = [];
const engine = {
  engineId: "e",
  request(name: string, fields: Record<string, unknown>) {
    asked.push([name, fields]);
    if (name === "request_connection_history") return Promise.resolve({ history: [{ data: { x: 1 } }] });
    return Promise.resolve({ pins: [], last_seq: 0, at_breakpoints: [] });
  },
  follow: () => () => {},
} as unknown as EngineClient;

const step = (id: string, x: number, y: number) => ({
  id,
  name: id,
  module_id: "m",
  x,
  y,
  config_values: {},
});
const wire = (source: string, target: string) => ({
  id: `${source}-${target}`,
  source,
  target,
  source_port_name: "success",
  target_port_name: "input",
});
const CROSS = readWorkflow({
  nodes: [
    step("mid", 600, 600),
    step("left", 0, 600),
    step("right", 1200, 600),
    step("up", 600, 0),
    step("down", 600, 1200),
  ],
  connections: [wire("left", "mid"), wire("mid", "right")],
});

const doc = () => useDocument.getState();
const nodes = () => workflowNow().nodes;
const mid = () => nodes().find(({ id }) => id === "mid");
const chosen = () => [...doc().chosen];
const called = () => asked.map(([name]) => name);
const sheet = () => useView.getState().sheet;
const rename = () =>
  doc().edit((now) => ({ ...now, nodes: now.nodes.map((node) => ({ ...node, name: "renamed" })) }));
const inGroup = () => {
  const { workflow, id } = group(workflowNow(), new Set(["mid", "left"]));
  doc().edit(() => workflow);
  doc().choose([id ?? ""]);
};
const clipboard = (text: string) => ({
  getData: () => text,
  setData: (_: string, value: string) => (kept = value),
});
let kept = "";

interface Row {
  before?(): void;
  /** What is to be seen then. */
  after(): void | Promise<void>;
}
const began = (mode: string, from?: string) => () => {
  const [, fields] = asked.find(([name]) => name === "execute_workflow") ?? ["", {}];
  expect(fields).toMatchObject({ mode, ...(from ? { start_node_id: from } : {}) });
  expect("start_node_id" in fields).toBe(from !== undefined);
};
const walked = (to: string): Row => ({ after: () => expect(chosen()).toEqual([to]) });
const moved = (x: number, y: number): Row => ({
  after: () => {
    const at = mid();
    expect([Math.sign((at?.x ?? 0) - 600), Math.sign((at?.y ?? 0) - 600)]).toEqual([x, y]);
  },
});

const TABLE: Record<string, Row> = {
  add: {
    after: () =>
      expect(useView.getState().aim?.from).toEqual({ node: "mid", port: "success", end: "source" }),
  },
  run: { after: began("EXECUTE") },
  simulate: { after: began("SIMULATE") },
  runHere: { after: began("EXECUTE", "mid") },
  save: {
    before: () => doc().load(CROSS, { preset: null, version: null }),
    after: () => expect(sheet()).toBe("save"),
  },
  publish: { after: () => waitFor(() => expect(sheet()).toBe("publish")) },
  undo: { before: rename, after: () => expect(mid()?.name).toBe("mid") },
  redo: {
    before: () => {
      rename();
      doc().undo();
    },
    after: () => expect(mid()?.name).toBe("renamed"),
  },
  copy: { after: () => expect(JSON.parse(kept).nodes).toHaveLength(1) },
  cut: {
    after: () => {
      expect(JSON.parse(kept).nodes).toHaveLength(1);
      expect(mid()).toBeUndefined();
    },
  },
  paste: { after: () => expect(nodes()).toHaveLength(6) },
  duplicate: { after: () => expect(nodes()).toHaveLength(6) },
  selectAll: { after: () => expect(chosen()).toHaveLength(5) },
  delete: {
    after: () => {
      expect(mid()).toBeUndefined();
      expect(workflowNow().connections).toEqual([]);
    },
  },
  open: { after: () => expect(doc().open).toBe("mid") },
  rename: { after: () => expect(useView.getState().renaming).toBe("mid") },
  disable: { after: () => expect(mid()?.disabled).toBe(true) },
  pin: {
    before: () => useRun.setState({ jobId: "r" }),
    after: () =>
      waitFor(() =>
        expect(asked).toContainEqual(["pin_data", { preset: "Report", node_id: "mid", from_job_id: "r" }]),
      ),
  },
  breakpoint: { after: () => expect([...useAids.getState().breakpoints]).toEqual(["mid-right"]) },
  continue: {
    before: () => useRun.setState({ jobId: "r" }),
    after: () => expect(called()).toContain("continue_run"),
  },
  step: {
    before: () => useRun.setState({ jobId: "r" }),
    after: () => expect(called()).toContain("step_run"),
  },
  note: { after: () => expect(workflowNow().notes).toHaveLength(1) },
  group: {
    before: () => doc().choose(["mid", "left"]),
    after: () => expect(workflowNow().notes?.[0]?.members?.toSorted()).toEqual(["left", "mid"]),
  },
  ungroup: { before: inGroup, after: () => expect(workflowNow().notes ?? []).toEqual([]) },
  collapse: { before: inGroup, after: () => expect(workflowNow().notes?.[0]?.collapsed).toBe(true) },
  tidy: {
    before: () => doc().choose([]),
    after: () => {
      expect(nodes().map(({ x, y }) => [x, y])).not.toEqual(CROSS.nodes.map(({ x, y }) => [x, y]));
      expect(fitted(), "what was tidied is in view").toEqual({ maxZoom: 1, padding: 0.2 });
    },
  },
  find: { after: () => expect(sheet()).toBe("find") },
  commands: { after: () => expect(sheet()).toBe("commands") },
  help: { after: () => expect(sheet()).toBe("help") },
  list: { after: () => expect(useView.getState().list).toBe(true) },
  log: { after: () => expect(useView.getState().log).toBe(true) },
  asMap: {
    after: () => {
      expect(useView.getState().asMap).toBe(true);
      expect(localStorage.getItem("flowork.designer.asMap")).toBe("yes");
    },
  },
  zoomIn: { after: () => expect(panZoom.scaleBy).toHaveBeenCalledWith(1.2, undefined) },
  zoomOut: { after: () => expect(panZoom.scaleBy).toHaveBeenCalledWith(1 / 1.2, undefined) },
  zoomFull: { after: () => expect(panZoom.scaleTo).toHaveBeenCalledWith(1, undefined) },
  fit: { after: () => expect(fitted()).toEqual({ maxZoom: 1, padding: 0.2 }) },
  fitChosen: { after: () => expect(fitted()?.nodes).toEqual([{ id: "mid" }]) },
  walkArrowLeft: walked("left"),
  walkArrowRight: walked("right"),
  walkArrowUp: walked("up"),
  walkArrowDown: walked("down"),
  moveArrowLeft: moved(-1, 0),
  moveArrowRight: moved(1, 0),
  moveArrowUp: moved(0, -1),
  moveArrowDown: moved(0, 1),
};

/** Press keys as a person at a keyboard does: Mod+Shift+Z. */
function press(keys: string, at: Element = document.body): KeyboardEvent {
  const parts = keys.replace("Mod", "Ctrl").split(/\+(?!$)/);
  const key = parts.pop() ?? "";
  const held = new Set(parts);
  const event = new KeyboardEvent("keydown", {
    key: key.length === 1 && !held.has("Shift") ? key.toLowerCase() : key,
    ctrlKey: held.has("Ctrl"),
    shiftKey: held.has("Shift"),
    altKey: held.has("Alt"),
    bubbles: true,
    cancelable: true,
    composed: true,
  });
  at.dispatchEvent(event);
  // what the browser makes of these three
  const word = { "Mod+C": "copy", "Mod+X": "cut", "Mod+V": "paste" }[keys];
  if (word) {
    const text = JSON.stringify({ nodes: [step("new", 0, 0)], connections: [] });
    const made = Object.assign(new Event(word, { bubbles: true, cancelable: true }), {
      clipboardData: clipboard(text),
    });
    at.dispatchEvent(made);
  }
  return event;
}

beforeEach(() => {
  asked.length = 0;
  kept = "";
  localStorage.clear();
  useSession.setState({ engine });
  doc().load(CROSS, { preset: "Report", version: 1 });
  doc().choose(["mid"]);
  useAids.setState({ pins: {}, breakpoints: new Set() });
  useRun.setState({ run: null, jobId: null, busy: false });
  useView.setState({ aim: null, sheet: null, list: false, log: false, renaming: null, asMap: false });
  vi.clearAllMocks();
  document.body.innerHTML = '<section class="canvas"></section>';
  render(
    <ReactFlowProvider>
      <Canvas />
    </ReactFlowProvider>,
  );
  document.querySelector(".canvas")?.dispatchEvent(new Event("pointerdown", { bubbles: true }));
});
afterEach(() => {
  cleanup();
  useSession.setState({ engine: null });
  useRun.getState().detach();
  useAids.setState({ pins: {}, breakpoints: new Set() });
  useView.setState({ aim: null, sheet: null, list: false, log: false, renaming: null, asMap: false });
  localStorage.clear();
});

const withKeys = COMMANDS.filter(({ keys }) => keys.length > 0);
const presses = withKeys.flatMap((command) =>
  command.keys.map((keys): [string, string, Command] => [keys, command.id, command]),
);

describe("the keys of the help sheet", () => {
  it("are all in the table", () => {
    expect(Object.keys(TABLE).sort()).toEqual(withKeys.map(({ id }) => id).sort());
  });

  it.each(presses)("%s: %s", async (keys, id) => {
    const row = TABLE[id];
    row?.before?.();
    const event = press(keys);
    await row?.after();
    const byBrowser = ["copy", "cut", "paste"].includes(id);
    expect(event.defaultPrevented, "the browser does not do something else as well").toBe(!byBrowser);
  });

  it.each(presses)("%s belongs to an open dialog, not to the canvas behind it", (keys, id) => {
    const sheetOpen = document.createElement("div");
    sheetOpen.setAttribute("role", "dialog");
    document.body.append(sheetOpen);
    const { history } = doc();
    const event = press(keys, sheetOpen);
    expect(event.defaultPrevented, id).toBe(false);
    expect(doc().history).toBe(history);
    expect(asked).toEqual([]);
  });

  it("type text where somebody types, but for those that mean the whole workflow", () => {
    const field = document.createElement("input");
    document.body.append(field);
    const taken = presses.filter(([keys]) => press(keys, field).defaultPrevented).map(([, id]) => id);
    expect(new Set(taken)).toEqual(
      new Set(["run", "simulate", "save", "duplicate", "group", "ungroup", "find", "commands"]),
    );
  });

  it("mean the same on a Mac, where Alt makes other signs", () => {
    inGroup();
    const event = new KeyboardEvent("keydown", { key: "©", code: "KeyG", altKey: true, bubbles: true });
    document.body.dispatchEvent(event);
    expect(workflowNow().notes?.[0]?.collapsed).toBe(true);
  });
});
