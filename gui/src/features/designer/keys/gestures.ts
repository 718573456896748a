/** What the pointer can do on the canvas, for the help sheet. */

import type { Word } from "@/i18n/words";

export interface Gesture {
  what: Word;
  by: Word;
}

const ALWAYS: Gesture[] = [
  { what: "gesture.chooseMore", by: "gesture.by.shiftClick" },
  { what: "gesture.add", by: "gesture.by.doubleEmpty" },
  { what: "gesture.follow", by: "gesture.by.dropWire" },
  { what: "gesture.insert", by: "gesture.by.dropStep" },
  { what: "gesture.open", by: "gesture.by.doubleStep" },
  { what: "gesture.peek", by: "gesture.by.doubleWire" },
  { what: "gesture.menu", by: "gesture.by.rightClick" },
];
const BY_CHOOSING: Gesture[] = [
  { what: "gesture.choose", by: "gesture.by.dragEmpty" },
  { what: "gesture.move", by: "gesture.by.scroll" },
  { what: "gesture.zoom", by: "gesture.by.ctrlWheel" },
];
const AS_MAP: Gesture[] = [
  { what: "gesture.move", by: "gesture.by.dragEmpty" },
  { what: "gesture.choose", by: "gesture.by.shiftDrag" },
  { what: "gesture.zoom", by: "gesture.by.wheel" },
];

/** The gestures, as the canvas is moved now. */
export const gesturesOf = (asMap: boolean): Gesture[] => [...(asMap ? AS_MAP : BY_CHOOSING), ...ALWAYS];
