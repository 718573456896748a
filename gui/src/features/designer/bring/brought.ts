/** What a workflow of another tool becomes here: our steps, and what a person should know of each of them. */

import type { Word } from "@/i18n/words";
import type { Workflow } from "../document/workflow";

export type Tool = "n8n" | "Node-RED";
/** good: it is ours now. check: look at it before it runs. unknown: nothing here does its work. */
export type Level = "good" | "check" | "unknown";

export interface Remark {
  word: Word;
  values?: Record<string, string | number>;
}

export interface BroughtStep {
  /** The id of the step or note it became; null where it became part of another one. */
  id: string | null;
  name: string;
  /** What it was there. */
  was: string;
  level: Level;
  remarks: Remark[];
}

export interface Brought {
  tool: Tool;
  name: string;
  workflow: Workflow;
  steps: BroughtStep[];
  remarks: Remark[];
}

/** One step as a translator makes it. */
export interface Made {
  module: string;
  config: Record<string, unknown>;
  level?: Level;
  disabled?: boolean;
  /** Our ports in the order of theirs; the error port comes behind them by itself. */
  ports?: readonly string[];
  /** Where in our data their message or item is: data, data.body, data.item. */
  root?: string;
}

export const remark = (word: Word, values?: Record<string, string | number>): Remark =>
  values ? { word, values } : { word };
