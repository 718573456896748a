/** What of the designer is shown: the picker, the list beside the canvas, dialogs. */

import { create } from "zustand";
import type { Place } from "./document/edits";

/** Where a picked component goes: to a place, behind or before a port, or into a connection. */
export interface Aim {
  place: Place;
  from?: { node: string; port: string | null; end: "source" | "target" };
  wire?: string;
}

export type Sheet = "help" | "commands" | "versions" | "save" | "find" | "publish" | null;

interface ViewState {
  aim: Aim | null;
  sheet: Sheet;
  list: boolean;
  log: boolean;
  palette: boolean;
  peek: string | null;
  renaming: string | null;
  show(change: Partial<Omit<ViewState, "show">>): void;
}

/** Whether there is room beside the canvas. */
export const isWide = (): boolean => window.matchMedia?.("(min-width: 900px)").matches ?? true;

export const useView = create<ViewState>((set) => ({
  aim: null,
  sheet: null,
  list: false,
  log: false,
  palette: isWide(),
  peek: null,
  renaming: null,
  show: (change) => set(change),
}));
