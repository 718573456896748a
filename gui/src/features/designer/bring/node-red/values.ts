/** Reads the settings of one node of Node-RED: typed values and paths into the message. */

import { type Remark, remark } from "../brought";
import { at, type Given, isGiven, listAt, mapTexts, neutral, numberAt, textAt } from "../given";
import { pathAfter } from "../paths";

export class Values {
  readonly remarks: Remark[] = [];

  constructor(
    readonly given: Given,
    /** Where our data holds what msg.payload was. */
    readonly payload: string,
    /** Nodes without a place on the canvas, such as brokers, by their ids. */
    private readonly shared: ReadonlyMap<string, Given>,
  ) {}

  /** A setting that is a text; nothing in it is read as an expression of ours. */
  text = (...names: string[]): string => neutral(this.raw(...names));
  raw = (...names: string[]): string => textAt(this.given, ...names);
  number = (name: string): number | null => numberAt(this.given, name);
  flag = (name: string): boolean => at(this.given, name) === true;
  list = (name: string): Given[] => listAt(this.given, name).filter(isGiven);
  config = (name: string): Given => this.shared.get(this.raw(name)) ?? {};

  note(word: Remark["word"], values?: Record<string, string | number>): void {
    if (this.remarks.length < 20) this.remarks.push(remark(word, values));
  }

  /** A path into the message as ours; null where it is none. */
  path(property: string): string | null {
    const text = property.trim();
    const [, first = "", rest = ""] = /^([A-Za-z_]\w*)(.*)$/s.exec(text) ?? [];
    if (!first) return null;
    return first === "payload" ? pathAfter(this.payload, rest) : pathAfter("data", `.${text}`);
  }

  /** A property of the message as an expression. */
  message(property: string, field: string): string {
    const path = this.path(property || "payload");
    if (path) return `{{ ${path} }}`;
    this.note("bring.expression", { field, expression: property.slice(0, 120) });
    return neutral(property);
  }

  /** A value that stands beside its type. */
  typed(value: unknown, type: unknown, field: string): unknown {
    const text = typeof value === "string" ? value : "";
    switch (type) {
      case "num":
        return Number.isFinite(Number(value)) ? Number(value) : 0;
      case "bool":
        return value === true || text === "true";
      case "json":
        return this.json(text, field);
      case "msg":
        return this.message(text, field);
      case "env":
        return /^[A-Za-z_]\w{0,60}$/.test(text) ? `{{ vars.${text} }}` : neutral(text);
      case undefined:
      case "str":
        return typeof value === "string" ? neutral(value) : mapTexts(value ?? "", neutral);
    }
    this.note("bring.expression", {
      field,
      expression: `${String(type).slice(0, 20)}: ${text.slice(0, 100)}`,
    });
    return neutral(text);
  }

  private json(text: string, field: string): unknown {
    try {
      return mapTexts(JSON.parse(text) as unknown, neutral);
    } catch {
      this.note("bring.expression", { field, expression: text.slice(0, 120) });
      return neutral(text);
    }
  }
}
