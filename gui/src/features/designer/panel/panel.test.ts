import { describe, expect, it } from "vitest";
import type { ManifestInfo } from "@/contract/contract.gen";
import { isErrorPort, type Listed, portsOf, search } from "../palette/catalog";
import { nextTimes } from "./cron";
import { fieldsOf, numberOf, textOfValue, valueOfText } from "./fields";
import { sourcesOf } from "./upstream";

const manifest = (part: Partial<ManifestInfo>): ManifestInfo => ({
  id: "m",
  name: "M",
  version: "1",
  author: "",
  description: "Does it",
  type: "ACTION",
  category: "Data",
  input_ports: [],
  output_ports: [
    { name: "error", display_name: "Error" },
    { name: "success", display_name: "Success" },
  ],
  properties: [],
  config_schema: {},
  guarantee: "",
  ...part,
});
const listed = (part: Partial<ManifestInfo>): Listed => ({
  id: part.id ?? "m",
  name: part.name ?? "M",
  version: "1",
  description: "",
  kind: "modules",
  manifest: manifest(part),
});
const node = (id: string, config = {}) => ({
  id,
  name: id,
  module_id: "m",
  x: 0,
  y: 0,
  config_values: config,
});
const property = (id: string, type: string, more = {}) => ({ id, type, label: id, description: "", ...more });

describe("the form of a component", () => {
  it("takes the published form, and the plain properties where there is none", () => {
    const properties = [property("a", "integer")];
    expect(fieldsOf(manifest({ properties })).map(({ kind }) => kind)).toEqual(["number"]);
    const ui_schema = [
      { id: "a", type: "text", component: "select", options: [{ label: "One", value: "1" }] },
    ];
    expect(fieldsOf(manifest({ properties, ui_schema }))[0]).toMatchObject({ kind: "select", label: "a" });
  });

  it.each([
    ["string", "text"],
    ["float", "number"],
    ["boolean", "toggle"],
    ["textarea", "textarea"],
    ["code", "code"],
    ["dynamic_key_value_editor", "pairs"],
    ["list", "list"],
    ["cron_editor", "cron"],
    ["folderpath", "folder"],
    ["filepath", "file"],
    ["of tomorrow", "text"],
    ["enum", "text"],
  ])("shows %s as %s", (type, kind) => {
    expect(fieldsOf(manifest({ properties: [property("x", type)] }))[0]?.kind).toBe(kind);
  });

  it("offers to browse where a setting holds a path", () => {
    const properties = [
      property("path", "string"),
      property("folder", "string"),
      property("pattern", "string"),
    ];
    const kinds = fieldsOf(manifest({ category: "Files", properties })).map(({ kind }) => kind);
    expect(kinds).toEqual(["file", "folder", "text"]);
    expect(fieldsOf(manifest({ properties }))[0]?.kind).toBe("text");
  });

  it("takes limits of numbers from the schema", () => {
    const config_schema = { properties: { n: { anyOf: [{ minimum: 1, maximum: 5 }, { type: "null" }] } } };
    const [field] = fieldsOf(manifest({ properties: [property("n", "integer")], config_schema }));
    expect(field).toMatchObject({ min: 1, max: 5, whole: true });
    if (!field) return;
    expect(["3", "0", "6", "1.5", "", "x", "{{ data.n }}"].map((text) => numberOf(text, field))).toEqual([
      3,
      null,
      null,
      null,
      null,
      null,
      "{{ data.n }}",
    ]);
  });

  it("shows any value as text, and gives an emptied field back its absence", () => {
    expect(textOfValue({ a: 1 })).toBe('{\n "a": 1\n}');
    expect(textOfValue(null)).toBe("");
    expect(valueOfText("", { initial: null })).toBeUndefined();
    expect(valueOfText("", { initial: "x" })).toBe("");
  });
});

describe("ports", () => {
  it("put the error lowest, and an input where the manifest names none", () => {
    const { inputs, outputs } = portsOf(node("a"), listed({}));
    expect(inputs.map(({ name }) => name)).toEqual(["input"]);
    expect(outputs.map(({ name }) => name)).toEqual(["success", "error"]);
    expect(isErrorPort("error")).toBe(true);
  });

  it("follow the rules of a switch, as text or as a list", () => {
    const component = listed({ ui_schema: [{ id: "rules", ports_from: "port" }] });
    for (const rules of [[{ port: "big" }, { port: "" }, { port: "big" }], '[{"port": "big"}]']) {
      const { outputs } = portsOf(node("a", { rules }), component);
      expect(outputs.map(({ name }) => name)).toEqual(["big", "success", "error"]);
    }
    expect(portsOf(node("a", { rules: "[{" }), component).outputs).toHaveLength(2);
  });

  it("have no input where a component takes none", () => {
    expect(portsOf(node("a"), listed({ requires_input: false })).inputs).toEqual([]);
  });
});

describe("searching components", () => {
  it("finds every word, names first", () => {
    const all = [
      listed({ id: "a", name: "Template" }),
      listed({ id: "b", name: "Read file" }),
      listed({ id: "c", name: "File list" }),
    ];
    expect(search(all, "file").map(({ id }) => id)).toEqual(["c", "b"]);
    expect(search(all, "file read").map(({ id }) => id)).toEqual(["b"]);
    expect(search(all, " ")).toHaveLength(3);
  });
});

describe("what expressions reach", () => {
  it("lists direct inputs first and each step once", () => {
    const wire = (id: string, source: string, target: string) => ({ id, source, target });
    const workflow = {
      nodes: ["a", "b b", "c", "d"].map((id) => node(id)),
      connections: [wire("1", "a", "b b"), wire("2", "b b", "d"), wire("3", "c", "d"), wire("4", "a", "c")],
    };
    const found = sourcesOf(workflow, "d").map(({ node: { id }, root }) => `${id}: ${root}`);
    expect(found).toEqual(["b b: data", "c: data", "a: nodes.a.data"]);
    expect(
      sourcesOf({ ...workflow, connections: [...workflow.connections, wire("5", "d", "x")] }, "c"),
    ).toHaveLength(1);
  });
});

describe("schedules", () => {
  const from = new Date(2026, 0, 30, 10, 7);
  const times = (text: string) =>
    nextTimes(text, 3, from)?.map((at) => [at.getMonth() + 1, at.getDate(), at.getHours(), at.getMinutes()]);

  it.each([
    [
      "*/15 * * * *",
      [
        [1, 30, 10, 15],
        [1, 30, 10, 30],
        [1, 30, 10, 45],
      ],
    ],
    [
      "0 9 * * MON-FRI",
      [
        [2, 2, 9, 0],
        [2, 3, 9, 0],
        [2, 4, 9, 0],
      ],
    ],
    [
      "30 8 31 * *",
      [
        [1, 31, 8, 30],
        [3, 31, 8, 30],
        [5, 31, 8, 30],
      ],
    ],
    [
      "0 0 1 * 7",
      [
        [2, 1, 0, 0],
        [2, 8, 0, 0],
        [2, 15, 0, 0],
      ],
    ],
  ])("%s", (text, expected) => {
    expect(times(text)).toEqual(expected);
  });

  it.each([
    "",
    "* * * *",
    "60 * * * *",
    "* * * * 8",
    "a * * * *",
    "*/0 * * * *",
    "5-1 * * * *",
    "1-2-3 * * * *",
  ])("%s is none", (text) => expect(nextTimes(text, 3, from)).toBeNull());

  it("gives up on a day that never comes", () => {
    expect(nextTimes("0 0 30 2 *", 3, from)).toEqual([]);
  });

  it.each([
    ["loop", "for_each"],
    ["code", "run_javascript"],
    ["llm", "ai_chat"],
    ["database", "sql_query"],
    ["router", "switch"],
    ["timer", "cron_trigger"],
    ["rest", "http_request"],
    ["splitinbatches", "for_each"],
    ["human", "manual_approval"],
  ])("knows what other tools call it: %s is %s", (word, id) => {
    const names = ["for_each", "run_javascript", "ai_chat", "sql_query", "switch", "cron_trigger"];
    const all = [...names, "http_request", "manual_approval"].map((one) => listed({ id: one, name: "X" }));
    expect(search(all, word).map((info) => info.id)).toContain(id);
    expect(search(all, "constructor")).toEqual([]);
  });
});
