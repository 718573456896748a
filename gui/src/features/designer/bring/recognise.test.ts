import { describe, expect, it } from "vitest";
import { pasteText } from "../document/clipboard";
import { NO_WORKFLOW } from "../document/workflow";
import { mapTexts, neutral } from "./given";
import { added, isForeign } from "./put";
import { bringOver, parse } from "./recognise";

const n8n = {
  nodes: [{ name: "A", type: "n8n-nodes-base.noOp", position: [10, 20], parameters: {} }],
  connections: {},
};
const red = [{ id: "a", type: "inject", x: 1, y: 2, wires: [[]] }];
const own = { nodes: [{ id: "a", module_id: "delay", name: "A" }], connections: [] };

describe("whose a text is", () => {
  it.each([
    ["n8n", n8n, "n8n"],
    ["a list of one n8n workflow", [n8n], "n8n"],
    ["Node-RED", red, "Node-RED"],
    ["the newer form of Node-RED", { rev: "1", flows: red }, "Node-RED"],
  ])("%s", (_, given, tool) => {
    expect(isForeign(given)).toBe(true);
    expect(bringOver(JSON.stringify(given), [])?.tool).toBe(tool);
  });

  it.each([[own], [{}], [[]], [[1, 2]], ["text"], [null], [{ nodes: [] }], [[{ id: "a", type: "x" }]]])(
    "not %j",
    (given) => {
      expect(bringOver(JSON.stringify(given), [])).toBeNull();
    },
  );

  it("leaves our own text to the clipboard", () => {
    expect(isForeign(own)).toBe(false);
    expect(pasteText(NO_WORKFLOW, JSON.stringify(own), null).workflow.nodes).toHaveLength(1);
  });

  it("refuses what is nested too deep or too long, before reading it", () => {
    expect(() => parse("[".repeat(5000) + "]".repeat(5000))).toThrow(/nested/);
    expect(parse(JSON.stringify("[".repeat(5000)))).toHaveLength(5000);
    expect(() => parse(" ".repeat(21 * 1024 * 1024))).toThrow(/20 MiB/);
  });
});

it("a text is neutral when no braces of ours are left in it", () => {
  for (const text of ["{{ a }}", "{{{ a }}}", "{% if %}", "{{{{%}}}}", "{{% x %}}"])
    expect(neutral(text)).not.toMatch(/\{\{|\{%|\}\}|%\}/);
  expect(neutral("{ plain } 100 %")).toBe("{ plain } 100 %");
});

it("values nested deeper than people write are cut off", () => {
  let deep: unknown = "bottom";
  for (let level = 0; level < 100; level++) deep = [deep];
  expect(JSON.stringify(mapTexts(deep, (text) => text))).not.toContain("bottom");
});

it("what is brought over comes below what is there", () => {
  const step = (id: string, x: number, y: number) => ({
    id,
    name: id,
    module_id: "delay",
    x,
    y,
    config_values: {},
  });
  const after = added(
    { nodes: [step("a", 40, 60)], connections: [] },
    { nodes: [step("b", 1000, -500), step("c", 1300, -400)], connections: [] },
    null,
  );
  expect(after.nodes.map(({ x, y }) => [x, y])).toEqual([
    [40, 60],
    [40, 220],
    [340, 320],
  ]);
});
