import { describe, expect, it } from "vitest";
import type { Brought } from "../brought";
import { bringOver } from "../recognise";

const node = (id: string, type: string, wires: string[][] = [], more: object = {}) => ({
  id,
  type,
  z: "tab",
  name: id,
  x: 100,
  y: 80,
  wires,
  ...more,
});

function bring(list: object[]): Brought {
  const brought = bringOver(JSON.stringify([{ id: "tab", type: "tab", label: "Garden" }, ...list]), []);
  if (!brought) throw new Error("not recognised");
  return brought;
}
const stepOf = ({ workflow }: Brought, name: string) => workflow.nodes.find((item) => item.name === name);
const told = ({ steps }: Brought, name: string) =>
  steps.find((step) => step.name === name)?.remarks.map(({ word }) => word) ?? [];
const wiresOf = ({ workflow }: Brought) => {
  const name = (id: string) => workflow.nodes.find((item) => item.id === id)?.name;
  return workflow.connections.map(
    ({ source, target, source_port_name }) => `${name(source)}.${source_port_name}>${name(target)}`,
  );
};

describe("a flow of Node-RED", () => {
  it("becomes ours, with its messages as data", () => {
    const brought = bring([
      node("Start", "inject", [["Ask"]], { payload: '{"city":"Medan"}', payloadType: "json", topic: "t" }),
      node("Ask", "http request", [["Make"]], { method: "GET", url: "https://e.org/{{payload.city}}" }),
      node("Make", "change", [["Way"]], {
        rules: [
          { t: "set", p: "payload.temp", pt: "msg", to: "payload.main.temp", tot: "msg" },
          { t: "delete", p: "topic", pt: "msg" },
        ],
      }),
      node("Way", "switch", [["Hot"], ["Cold"]], {
        property: "payload.temp",
        propertyType: "msg",
        rules: [{ t: "gt", v: "30", vt: "num" }, { t: "else" }],
        checkall: "false",
      }),
      node("Hot", "template", [["Cold"]], { template: "Hot: {{payload.temp}} {% x %}", field: "payload" }),
      node("Cold", "debug", [], { complete: "payload", targetType: "msg" }),
    ]);
    expect(brought).toMatchObject({ tool: "Node-RED", name: "Garden" });
    expect(wiresOf(brought)).toEqual([
      "Start.success>Ask",
      "Ask.success>Make",
      "Make.success>Way",
      "Way.gt 30>Hot",
      "Way.otherwise>Cold",
      "Hot.success>Cold",
    ]);
    expect(stepOf(brought, "Start")?.config_values.variables_to_set).toEqual([
      { name: "payload", value: { city: "Medan" } },
      { name: "topic", value: "t" },
    ]);
    expect(stepOf(brought, "Ask")?.config_values.url).toBe("https://e.org/{{ data.payload.city }}");
    expect(stepOf(brought, "Make")?.config_values).toEqual({
      fields: [{ name: "payload.temp", value: "{{ data.body.main.temp }}" }],
      keep_input: true,
      remove: "topic",
    });
    expect(stepOf(brought, "Way")?.config_values).toMatchObject({
      value: "{{ data.payload.temp }}",
      mode: "first",
    });
    expect(stepOf(brought, "Hot")?.config_values.template).toBe("Hot: {{ data.payload.temp }} { % x %}");
  });

  it("goes through links and junctions, and keeps groups and comments", () => {
    const brought = bring([
      node("A", "inject", [["j"]], { repeat: "60" }),
      node("j", "junction", [["out"]]),
      node("out", "link out", [], { links: ["in"], mode: "link" }),
      node("in", "link in", [["B"]]),
      node("B", "delay", [], { pauseType: "delay", timeout: "5", timeoutUnits: "minutes", d: true }),
      { id: "g", type: "group", z: "tab", name: "Beds", nodes: ["A", "B"], x: 0, y: 0, w: 400, h: 200 },
      { ...node("Read me", "comment"), info: "Careful" },
    ]);
    expect(wiresOf(brought)).toEqual(["A.output>B"]);
    expect(stepOf(brought, "A")).toMatchObject({
      module_id: "cron_trigger",
      config_values: { interval_seconds: 60 },
    });
    expect(stepOf(brought, "B")).toMatchObject({ disabled: true, config_values: { seconds: 300 } });
    const [group, comment] = brought.workflow.notes ?? [];
    expect(group?.members).toEqual(brought.workflow.nodes.map(({ id }) => id));
    expect(comment?.text).toBe("Read me\nCareful");
  });

  it("wraps functions, knows brokers, and switches programs and unknown nodes off", () => {
    const brought = bring([
      node("Fn", "function", [["Pub"]], { func: "msg.payload = flow.get('x');\nreturn msg;", outputs: 1 }),
      node("Pub", "mqtt out", [], { broker: "b", topic: "garden" }),
      { id: "b", type: "mqtt-broker", broker: "mqtt.local", port: "8883", usetls: true },
      node("Exec", "exec", [], { command: "shutdown now" }),
      node("Odd", "ui_gauge"),
      node("Inner", "subflow:s"),
      { id: "s", type: "subflow", name: "S", in: [], out: [] },
      { ...node("Hidden", "debug"), z: "s" },
    ]);
    expect(String(stepOf(brought, "Fn")?.config_values.code)).toContain("msg.payload = flow.get('x');");
    expect(told(brought, "Fn")).toEqual(["bring.code", "bring.codeReach"]);
    expect(stepOf(brought, "Pub")?.config_values).toMatchObject({
      host: "mqtt.local",
      port: 8883,
      security: "tls",
      topic: "garden",
    });
    expect(stepOf(brought, "Exec")).toMatchObject({ module_id: "shell_command", disabled: true });
    expect(stepOf(brought, "Odd")).toMatchObject({
      disabled: true,
      data: { imported: { type: "ui_gauge" } },
    });
    expect(told(brought, "Inner")).toEqual(["bring.subflow"]);
    expect(stepOf(brought, "Hidden")).toBeUndefined();
    expect(brought.remarks.map(({ word }) => word)).toContain("bring.subflows");
  });

  it("follows messages through many forks", () => {
    const rules = [{ t: "true" }, { t: "else" }];
    const forks = Array.from({ length: 60 }, (_, place) =>
      node(`${place}`, "switch", [[`${place + 1}`], [`${place + 1}`]], { rules }),
    );
    const brought = bring([...forks, node("60", "debug")]);
    expect(brought.workflow.connections).toHaveLength(120);
  });

  it("takes no word that JavaScript knows for one of its own", () => {
    const brought = bring([
      node("Wait", "delay", [], { pauseType: "delay", timeout: "2", timeoutUnits: "valueOf" }),
    ]);
    expect(stepOf(brought, "Wait")?.config_values).toEqual({ seconds: 2 });
  });

  it("says which values it could not translate, and never lets them be read as expressions", () => {
    const brought = bring([
      node("Set", "change", [], {
        rules: [
          { t: "set", p: "payload", pt: "msg", to: "$sum(a)", tot: "jsonata" },
          { t: "set", p: "x", pt: "msg", to: "{{ vars.SECRET }}", tot: "str" },
          { t: "set", p: "{{ vars.SECRET }}", pt: "msg", to: "z", tot: "str" },
          { t: "set", p: "y", pt: "msg", to: "TOKEN", tot: "env" },
        ],
      }),
    ]);
    expect(told(brought, "Set")).toEqual(["bring.expression"]);
    expect(stepOf(brought, "Set")?.config_values.fields).toEqual([
      { name: "payload", value: "$sum(a)" },
      { name: "x", value: "{ { vars.SECRET } }" },
      { name: "{ { vars.SECRET } }", value: "z" },
      { name: "y", value: "{{ vars.TOKEN }}" },
    ]);
  });
});
