/** Conditions of n8n's If, Switch and Filter as ours. */

import { entryOf, type Given, isGiven, listAt, objectAt, textAt } from "../given";
import { literalOf } from "../paths";
import type { Values } from "./values";

export interface Condition {
  left: unknown;
  operator: string;
  right: unknown;
}

const OPERATORS: Record<string, string> = {
  equals: "==",
  equal: "==",
  notEquals: "!=",
  notEqual: "!=",
  contains: "contains",
  notContains: "not contains",
  startsWith: "starts_with",
  endsWith: "ends_with",
  gt: ">",
  larger: ">",
  after: ">",
  gte: ">=",
  largerEqual: ">=",
  lt: "<",
  smaller: "<",
  before: "<",
  lte: "<=",
  smallerEqual: "<=",
  empty: "is empty",
  isEmpty: "is empty",
  notExists: "is empty",
  notEmpty: "is not empty",
  isNotEmpty: "is not empty",
  exists: "is not empty",
};
const FIXED: Record<string, boolean> = { true: true, false: false };

/** The conditions of a step or rule, of old and new versions, with how they belong together. */
export function conditionsIn(given: Given, values: Values): { all: boolean; list: Condition[] } {
  const inner = objectAt(given, "conditions");
  const found = listAt(inner, "conditions").filter(isGiven);
  if (found.length || "combinator" in inner)
    return { all: textAt(inner, "combinator") !== "or", list: found.flatMap((item) => modern(item, values)) };
  const kinds = Object.values(inner).flatMap((rows) => (Array.isArray(rows) ? rows.filter(isGiven) : []));
  return {
    all: textAt(given, "combineOperation") !== "any",
    list: kinds.flatMap((item) => old(item, values)),
  };
}

function modern(item: Given, values: Values): Condition[] {
  const name = textAt(item, "operator", "operation");
  const left = values.ours(item.leftValue ?? "", "leftValue");
  return judged(name, left, values.ours(item.rightValue ?? "", "rightValue"), values);
}

function old(item: Given, values: Values): Condition[] {
  const name = textAt(item, "operation") || "equal";
  return judged(
    name,
    values.ours(item.value1 ?? "", "value1"),
    values.ours(item.value2 ?? "", "value2"),
    values,
  );
}

function judged(name: string, left: unknown, right: unknown, values: Values): Condition[] {
  const fixed = entryOf(FIXED, name);
  if (fixed !== undefined) return [{ left, operator: "==", right: fixed }];
  const operator = entryOf(OPERATORS, name);
  if (operator) return [{ left, operator, right: operator.startsWith("is ") ? null : right }];
  values.note("bring.condition", { operation: name });
  return [];
}

const QUERY: Record<string, (left: string, right: string) => string> = {
  "==": (left, right) => `${left} == ${right}`,
  "!=": (left, right) => `${left} != ${right}`,
  ">": (left, right) => `${left} > ${right}`,
  ">=": (left, right) => `${left} >= ${right}`,
  "<": (left, right) => `${left} < ${right}`,
  "<=": (left, right) => `${left} <= ${right}`,
  contains: (left, right) => `contains(${left}, ${right})`,
  "not contains": (left, right) => `!contains(${left}, ${right})`,
  starts_with: (left, right) => `starts_with(${left}, ${right})`,
  ends_with: (left, right) => `ends_with(${left}, ${right})`,
  "is empty": (left) => `!${left}`,
  "is not empty": (left) => `!!${left}`,
};

/** Several conditions as one: an expression that is true when they hold. */
export function joined({ all, list }: { all: boolean; list: Condition[] }, values: Values): Condition {
  const [only] = list;
  if (!only) return { left: "", operator: "is empty", right: null };
  if (list.length === 1) return only;
  const parts = list.map(({ left, operator, right }) => {
    const [one, other] = [operand(left), operand(/^[<>]/.test(operator) ? numbered(right) : right)];
    return one && other ? QUERY[operator]?.(one, other) : undefined;
  });
  if (parts.some((part) => part === undefined)) {
    values.note("bring.conditions", { count: list.length });
    return only;
  }
  const text = parts.map((part) => `(${part})`).join(all ? " && " : " || ");
  return { left: `{{ ${text} }}`, operator: "==", right: true };
}

const numbered = (value: unknown): unknown =>
  typeof value === "string" && value.trim() !== "" && Number.isFinite(Number(value)) ? Number(value) : value;

/** A value inside an expression: what our expression names, else the value itself; null for a mixture. */
function operand(value: unknown): string | null {
  if (typeof value !== "string") return literalOf(value);
  const inner = /^\{\{ (.*) \}\}$/.exec(value)?.[1];
  if (inner !== undefined && !inner.includes("}}")) return inner;
  return value.includes("{{") ? null : literalOf(value);
}
