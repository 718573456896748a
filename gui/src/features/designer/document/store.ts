/** The workflow on the canvas: its history, what is chosen, and which saved preset it came from. */

import { create } from "zustand";
import { type History, record, redo, startHistory, undo } from "./history";
import { NO_WORKFLOW, type Workflow } from "./workflow";

export interface Origin {
  preset: string | null;
  /** The version the edit started from; what a save is based on. */
  version: number | null;
}

interface DocumentState extends Origin {
  history: History<Workflow>;
  /** The workflow as it was saved or loaded last. */
  saved: Workflow;
  chosen: ReadonlySet<string>;
  /** The node whose panel is open. */
  open: string | null;
  edit(change: (workflow: Workflow) => Workflow, kind?: string | null): void;
  undo(): void;
  redo(): void;
  choose(ids: Iterable<string>): void;
  openNode(id: string | null): void;
  /** Show another workflow; its history starts anew. */
  load(workflow: Workflow, origin: Origin, saved?: Workflow): void;
  markSaved(workflow: Workflow, origin: Origin): void;
}

export const useDocument = create<DocumentState>((set, get) => ({
  history: startHistory(NO_WORKFLOW),
  saved: NO_WORKFLOW,
  preset: null,
  version: null,
  chosen: new Set(),
  open: null,

  edit(change, kind = null) {
    const { history } = get();
    set({ history: record(history, change(history.present), kind, Date.now()) });
  },
  undo: () => set(({ history }) => known(undo(history), get())),
  redo: () => set(({ history }) => known(redo(history), get())),
  choose(ids) {
    const chosen = new Set(ids);
    const before = get().chosen;
    const same = chosen.size === before.size && [...chosen].every((id) => before.has(id));
    if (!same) set({ chosen });
  },
  openNode: (id) => set({ open: id }),
  load(workflow, origin, saved = workflow) {
    set({ history: startHistory(workflow), saved, ...origin, chosen: new Set(), open: null });
  },
  markSaved: (workflow, origin) => set({ saved: workflow, ...origin }),
}));

/** Keep nothing chosen or open that an undo took away. */
function known(history: History<Workflow>, state: DocumentState): Partial<DocumentState> {
  const { nodes, connections, notes = [] } = history.present;
  const ids = new Set([...nodes, ...connections, ...notes].map((item) => item.id));
  return {
    history,
    chosen: new Set([...state.chosen].filter((id) => ids.has(id))),
    open: state.open && ids.has(state.open) ? state.open : null,
  };
}

export const useWorkflow = (): Workflow => useDocument((state) => state.history.present);
export const workflowNow = (): Workflow => useDocument.getState().history.present;
export const useChanged = (): boolean => useDocument((state) => state.history.present !== state.saved);
