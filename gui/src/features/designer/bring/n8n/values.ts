/** Reads the settings of one node of n8n: its texts, with their expressions made ours, and remarks on what was not. */

import { type Remark, remark } from "../brought";
import { at, type Given, isGiven, listAt, mapTexts, neutral, numberAt, objectAt, plainAt } from "../given";
import { translate, type Scope } from "./expressions";

export class Values {
  readonly remarks: Remark[] = [];

  constructor(
    /** The node's own settings. */
    readonly given: Given,
    readonly version: number,
    readonly scope: Scope,
    /** The model, tools and memory that were attached to it. */
    readonly attached: readonly { type: string; given: Given }[] = [],
  ) {}

  /** A setting with its expressions made ours. */
  value(...names: string[]): unknown {
    return this.ours(at(this.given, ...names), names.join("."));
  }

  /** A setting that is a text, or a choice from a list there. */
  text(...names: string[]): string {
    const found = at(this.given, ...names);
    const plain = isGiven(found) && "value" in found ? found.value : found;
    const ours = this.ours(plain, names.join("."));
    return typeof ours === "string" ? ours : ours === undefined || ours === null ? "" : JSON.stringify(ours);
  }

  /** A choice as it was written; an expression in its place finds nothing. */
  choice(...names: string[]): string {
    const found = plainAt(this.given, ...names);
    return found.startsWith("=") ? "" : found;
  }

  flag = (name: string): boolean => at(this.given, name) === true;
  number = (name: string): number | null => numberAt(this.given, name);
  list = (...names: string[]): Given[] => listAt(this.given, ...names).filter(isGiven);
  options = (): Given => objectAt(this.given, "options");

  /** Rows of names and values as our editors keep them. */
  pairs(rows: readonly unknown[], name = "name", value = "value"): { name: string; value: unknown }[] {
    return rows.filter(isGiven).flatMap((row) => {
      const called = plainAt(row, name);
      return called ? [{ name: called.slice(0, 200), value: this.ours(row[value] ?? "", called) }] : [];
    });
  }

  /** Any value, with the expressions of its texts made ours. */
  ours(value: unknown, field: string): unknown {
    return mapTexts(value, (text) => {
      if (!text.startsWith("=")) return neutral(text);
      const { value: made, lost } = translate(text.slice(1), this.scope);
      for (const expression of lost) this.note("bring.expression", { field, expression });
      return made;
    });
  }

  note(word: Remark["word"], values?: Record<string, string | number>): void {
    if (this.remarks.length < 20) this.remarks.push(remark(word, values));
  }
}
