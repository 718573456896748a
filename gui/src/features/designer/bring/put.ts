/** Puts what was brought over onto the canvas, and keeps the report of it to be looked at. */

import { create } from "zustand";
import { tell } from "@/ui/toasts";
import { t } from "@/i18n/words";
import { type Place, snapped } from "../document/edits";
import { NODE_HEIGHT } from "../document/layout";
import { useDocument, workflowNow } from "../document/store";
import type { Workflow } from "../document/workflow";
import type { Brought } from "./brought";

interface BroughtState {
  /** What was brought over last, while its report is shown. */
  shown: Brought | null;
  show(brought: Brought | null): void;
}

export const useBrought = create<BroughtState>((set) => ({
  shown: null,
  show: (brought) => set({ shown: brought }),
}));

/** Whether a text is from another tool, and may be asked `bringOver`. */
export const isForeign = (given: unknown): boolean => {
  const one: unknown = Array.isArray(given) ? given[0] : given;
  if (typeof one !== "object" || one === null) return false;
  if (Array.isArray(given) || "flows" in one) return true;
  const { nodes } = one as { nodes?: unknown };
  const first: unknown = Array.isArray(nodes) ? nodes[0] : null;
  return typeof first === "object" && first !== null && "type" in first && !("module_id" in first);
};

/** Add a text's workflow to the canvas, or put it in the place of what is there; false where it is of no known tool. */
export async function bring(text: string, place: Place | null, replace = false): Promise<boolean> {
  const { bringOver } = await import("./recognise");
  const before = replace ? { nodes: [], connections: [] } : workflowNow();
  const brought = bringOver(
    text,
    before.nodes.map(({ name }) => name),
  );
  if (!brought || !brought.workflow.nodes.length) return false;
  useDocument.getState().edit(() => added(before, brought.workflow, place));
  useDocument.getState().choose(brought.workflow.nodes.map(({ id }) => id));
  useBrought.getState().show(brought);
  tell(t("bring.done", { tool: brought.tool, count: brought.workflow.nodes.length }), "good");
  return true;
}

/** Two workflows as one; the second one comes to the place, or below the first. */
export function added(workflow: Workflow, given: Workflow, place: Place | null): Workflow {
  const items = [...given.nodes, ...(given.notes ?? [])];
  const left = Math.min(...items.map(({ x }) => x));
  const top = Math.min(...items.map(({ y }) => y));
  const here = workflow.nodes;
  const below = here.length
    ? { x: Math.min(...here.map(({ x }) => x)), y: Math.max(...here.map(({ y }) => y)) + 2 * NODE_HEIGHT }
    : { x: 0, y: 0 };
  const to = snapped(place ?? below);
  const at = <Item extends Place>(item: Item): Item => ({
    ...item,
    x: item.x - left + to.x,
    y: item.y - top + to.y,
  });
  const notes = [...(workflow.notes ?? []), ...(given.notes ?? []).map(at)];
  return {
    ...workflow,
    nodes: [...workflow.nodes, ...given.nodes.map(at)],
    connections: [...workflow.connections, ...given.connections],
    ...(notes.length ? { notes } : {}),
  };
}
