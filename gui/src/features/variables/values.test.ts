import { describe, expect, it } from "vitest";
import type { Variable } from "@/contract/contract.gen";
import { draftOf, shortValue, typedValue } from "./values";

const variable = (part: Partial<Variable>): Variable => ({
  name: "CITY",
  value: "Bandung",
  is_secret: false,
  is_enabled: true,
  mode: "single",
  ...part,
});

describe("a variable's value", () => {
  it.each([
    variable({}),
    variable({ value: "two\nlines" }),
    variable({ value: 7 }),
    variable({ value: { a: [1, null] } }),
    variable({ value: ["a", "b"], mode: "random" }),
    variable({ value: ["a\nb", "c"], mode: "sequential" }),
    variable({ value: [1, 2], mode: "sequential" }),
  ])("comes back from what is typed: %j", (given) => {
    expect(typedValue(draftOf(given))).toEqual(given.value);
  });

  it("of a secret starts empty", () => {
    expect(draftOf(variable({ value: "", is_secret: true })).text).toBe("");
  });

  it("must be JSON where it says so", () => {
    expect(() => typedValue({ ...draftOf(null), json: true, text: "{a}" })).toThrow(SyntaxError);
  });

  it("is shown in one line", () => {
    expect(shortValue({ a: 1 })).toBe('{"a":1}');
    expect(shortValue("x".repeat(100))).toHaveLength(80);
  });
});
