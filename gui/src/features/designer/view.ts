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
  /** Whether a drag on the empty canvas moves the map, and the wheel zooms; else it chooses, and the wheel scrolls. */
  asMap: boolean;
  show(change: Partial<Omit<ViewState, "show">>): void;
}

const AS_MAP = "flowork.designer.asMap";

/** Change how the canvas is moved, for this browser. */
export function toggleMap(): void {
  const asMap = !useView.getState().asMap;
  localStorage.setItem(AS_MAP, asMap ? "yes" : "no");
  useView.setState({ asMap });
}

/** With fingers one drags the canvas; with a mouse one drags a frame around steps. */
const TOUCH = globalThis.matchMedia?.("(pointer: coarse)").matches ?? false;

/** Whether a drag on the empty canvas moves it: always with fingers, else as chosen. */
export const useAsMap = (): boolean => useView((state) => state.asMap) || TOUCH;

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
  asMap: localStorage.getItem(AS_MAP) === "yes",
  show: (change) => set(change),
}));
