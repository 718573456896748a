/** A variable's value as it is typed, and back. */

import type { Variable } from "@/contract/contract.gen";

export type Mode = Variable["mode"];
/** text: as it is. json: any JSON value. lines: one text a line, for modes that hand out one of several. */
export type Writing = "text" | "json" | "lines";

export interface Draft {
  name: string;
  text: string;
  json: boolean;
  secret: boolean;
  enabled: boolean;
  mode: Mode;
}

export const NAME = /^[A-Z][A-Z0-9_]{0,79}$/;

export const writingOf = ({ mode, json }: Draft): Writing =>
  json ? "json" : mode === "single" ? "text" : "lines";

/** What is typed where a variable is changed; a secret starts empty, for it never comes back. */
export function draftOf(variable: Variable | null): Draft {
  if (!variable) return { name: "", text: "", json: false, secret: false, enabled: true, mode: "single" };
  const { name, value, is_secret: secret, is_enabled: enabled, mode } = variable;
  const plain = mode === "single" ? typeof value === "string" : isTexts(value);
  const text = !plain ? JSON.stringify(value, null, 2) : isTexts(value) ? value.join("\n") : String(value);
  return { name, text, json: !plain, secret, enabled, mode };
}

/** Return the value that was typed; throws a sentence where it is none. */
export function typedValue(draft: Draft): unknown {
  const writing = writingOf(draft);
  if (writing === "text") return draft.text;
  if (writing === "lines") {
    return draft.text
      .split("\n")
      .map((line) => line.trim())
      .filter(Boolean);
  }
  return JSON.parse(draft.text) as unknown;
}

/** A value in one line, for the list. */
export function shortValue(value: unknown): string {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}

const isTexts = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((item) => typeof item === "string" && !item.includes("\n"));
