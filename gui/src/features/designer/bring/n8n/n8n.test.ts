import { describe, expect, it } from "vitest";
import type { Brought } from "../brought";
import { bringOver } from "../recognise";
import { query } from "./expressions";

const node = (name: string, type: string, parameters: object = {}, more: object = {}) => ({
  name,
  type: type.includes(".") ? type : `n8n-nodes-base.${type}`,
  typeVersion: 3,
  position: [0, 0],
  parameters,
  ...more,
});
const to = (...names: string[]) => names.map((name) => ({ node: name, type: "main", index: 0 }));

function bring(nodes: object[], connections: object = {}, more: object = {}, taken: string[] = []): Brought {
  const brought = bringOver(JSON.stringify({ nodes, connections, ...more }), taken);
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

describe("expressions", () => {
  const scope = { root: "data", nodes: new Map([["Get it", { name: "Get it 2", root: "data.body" }]]) };
  it.each([
    ["$json.city", "data.city"],
    [" $json ", "data"],
    ['$json["first name"].list[0]', 'data."first name".list[0]'],
    ["$json?.a?.b", "data.a.b"],
    ["$json.list.length", "length(data.list)"],
    ["$json.tags.join(', ')", "join(', ', data.tags)"],
    ["JSON.stringify($json.a)", "to_string(data.a)"],
    ["$('Get it').item.json.id", 'nodes."Get it 2".data.body.id'],
    ['$node["Get it"].json["id"]', 'nodes."Get it 2".data.body.id'],
    ["$('Get it').all()", 'nodes."Get it 2".data'],
    ["$input.first().json.x", "data.x"],
    ["$json.a || 'none'", "data.a || 'none'"],
    ["$vars.TOKEN", "vars.TOKEN"],
    ["$execution.id", "run.id"],
  ])("%s", (script, ours) => expect(query(script, scope)).toBe(ours));

  it.each([
    "$json.a.split(',')",
    "$json.a + 1",
    "$('Nobody').item.json.id",
    "(() => 1)()",
    "$json.constructor.constructor('return this')()",
    "$now.toISO()",
    "$json.a; alert(1)",
    "$json['it\\'s' + x]",
  ])("%s is more than a path", (script) => expect(query(script, scope)).toBeNull());
});

describe("a workflow of n8n", () => {
  it("becomes ours, with its connections and expressions", () => {
    const brought = bring(
      [
        node(
          "Hook",
          "webhook",
          { httpMethod: "POST", responseMode: "responseNode" },
          { position: [-200, 40] },
        ),
        node("Get it", "httpRequest", {
          method: "POST",
          url: "=https://api.example.org/{{ $json.body.id }}",
          sendBody: true,
          bodyParameters: { parameters: [{ name: "who", value: "={{ $json.body.name }}" }] },
        }),
        node("Big?", "if", {
          conditions: {
            combinator: "and",
            conditions: [
              {
                leftValue: "={{ $json.size }}",
                rightValue: "10",
                operator: { type: "number", operation: "gt" },
              },
              {
                leftValue: "={{ $json.kind }}",
                rightValue: "box",
                operator: { type: "string", operation: "equals" },
              },
            ],
          },
        }),
        node("Say", "set", {
          includeOtherFields: true,
          assignments: {
            assignments: [{ name: "text", type: "string", value: "=Hi {{ $('Hook').item.json.body.name }}" }],
          },
        }),
        node("No", "noOp"),
      ],
      {
        Hook: { main: [to("Get it")] },
        "Get it": { main: [to("Big?")] },
        "Big?": { main: [to("Say"), to("No")] },
      },
      { name: "Mine" },
    );
    expect(brought).toMatchObject({ tool: "n8n", name: "Mine" });
    expect(wiresOf(brought)).toEqual([
      "Hook.output>Get it",
      "Get it.success>Big?",
      "Big?.true>Say",
      "Big?.false>No",
    ]);
    expect(stepOf(brought, "Hook")).toMatchObject({
      module_id: "webhook_trigger",
      config_values: { auth: "secret", wait_seconds: 60 },
    });
    expect(stepOf(brought, "Get it")?.config_values).toMatchObject({
      method: "POST",
      url: "https://api.example.org/{{ data.body.id }}",
      body: { who: "{{ data.body.name }}" },
    });
    expect(stepOf(brought, "Big?")?.config_values).toEqual({
      left: "{{ (data.body.size > `10`) && (data.body.kind == 'box') }}",
      operator: "==",
      right: true,
    });
    expect(stepOf(brought, "Say")?.config_values).toEqual({
      fields: [{ name: "text", value: "Hi {{ nodes.Hook.data.body.name }}", type: "text" }],
      keep_input: true,
    });
    expect(told(brought, "Say")).toEqual([]);
  });

  it("keeps unknown nodes as steps that are switched off, with a note of what they were", () => {
    const brought = bring([
      node("Sums", "n8n-nodes-strange.abacus", { beads: 3 }),
      node("Chat", "slack", { channel: "x" }, { credentials: { slackApi: { id: "1", name: "Work" } } }),
      node("New mail", "gmailTrigger"),
    ]);
    for (const name of ["Sums", "Chat", "New mail"]) expect(stepOf(brought, name)?.disabled).toBe(true);
    expect(String(stepOf(brought, "Sums")?.data?.note)).toContain("n8n-nodes-strange.abacus");
    expect(stepOf(brought, "Sums")?.data?.imported).toMatchObject({ settings: { beads: 3 } });
    expect(stepOf(brought, "Chat")?.config_values.url).toBe("https://slack.com/api");
    expect(told(brought, "Chat")).toEqual(["bring.service", "bring.credentials"]);
    expect(told(brought, "New mail")).toEqual(["bring.unknownTrigger"]);
    expect(brought.steps.map(({ level }) => level)).toEqual(["unknown", "unknown", "unknown"]);
  });

  it("keeps what it cannot translate as text that nothing reads, and says so", () => {
    const brought = bring([
      node("Set", "set", {
        assignments: {
          assignments: [
            { name: "a", type: "string", value: "={{ $json.data.split(',') }}" },
            { name: "b", type: "string", value: "{{ vars.SECRET }} {% for x in y %}" },
          ],
        },
      }),
    ]);
    const texts = JSON.stringify(stepOf(brought, "Set")?.config_values);
    expect(texts).not.toMatch(/\{\{|\{%/);
    expect(told(brought, "Set")).toEqual(["bring.expression"]);
    expect(String(stepOf(brought, "Set")?.data?.note)).not.toMatch(/\{\{|\{%/);
  });

  it("reads no expression in a name", () => {
    const name = "={{ $json.key }}";
    const brought = bring([
      node("Set", "set", { assignments: { assignments: [{ name, value: "1", type: "string" }] } }),
      node("Raw", "set", { mode: "raw", jsonOutput: JSON.stringify({ "{{ vars.A }}": 1 }) }),
      node("Sort", "sort", { sortFieldsUi: { sortField: [{ fieldName: "{{ vars.A }}" }] } }),
      node("Http", "httpRequest", { url: "u", queryParameters: { parameters: [{ name, value: "1" }] } }),
    ]);
    expect(brought.steps).toHaveLength(4);
    expect(JSON.stringify(brought.workflow.nodes.map((step) => step.config_values))).not.toContain("{{");
  });

  it("makes the inside of a loop of what leads back to it", () => {
    const brought = bring(
      [
        node("Each", "splitInBatches", { batchSize: 1 }),
        node("Work", "httpRequest", { url: "=https://e.org/{{ $json.id }}" }),
        node("Rest", "wait", { amount: 2, unit: "seconds" }),
        node("Done", "noOp"),
      ],
      {
        Each: { main: [to("Done"), to("Work")] },
        Work: { main: [to("Rest")] },
        Rest: { main: [to("Each")] },
      },
    );
    const each = stepOf(brought, "Each");
    expect(each?.module_id).toBe("for_each");
    expect(stepOf(brought, "Work")).toMatchObject({
      parent_id: each?.id,
      config_values: { url: "https://e.org/{{ data.item.id }}" },
    });
    expect(stepOf(brought, "Rest")).toMatchObject({ parent_id: each?.id, config_values: { seconds: 2 } });
    expect(stepOf(brought, "Done")).not.toHaveProperty("parent_id");
    expect(wiresOf(brought)).toEqual(["Each.success>Done", "Work.success>Rest"]);
  });

  it("puts a loop in a loop with its inside into it", () => {
    const brought = bring(
      [
        node("Outer", "splitInBatches"),
        node("Inner", "splitInBatches"),
        node("Work", "noOp"),
        node("Done", "noOp"),
      ],
      {
        Outer: { main: [to("Done"), to("Inner")] },
        Inner: { main: [to("Outer"), to("Work")] },
        Work: { main: [to("Inner")] },
      },
    );
    expect(stepOf(brought, "Inner")?.parent_id).toBe(stepOf(brought, "Outer")?.id);
    expect(stepOf(brought, "Work")?.parent_id).toBe(stepOf(brought, "Inner")?.id);
    expect(wiresOf(brought)).toEqual(["Outer.success>Done"]);
  });

  it("follows data through many forks", () => {
    const forks = Array.from({ length: 60 }, (_, place) => `If ${place}`);
    const brought = bring(
      [...forks.map((name) => node(name, "if")), node("Set", "set")],
      Object.fromEntries(
        forks.map((name, place) => {
          const next = to(forks[place + 1] ?? "Set");
          return [name, { main: [next, next] }];
        }),
      ),
    );
    expect(wiresOf(brought)).toHaveLength(120);
  });

  it("takes no word that JavaScript knows for one of its own", () => {
    const condition = { leftValue: "a", rightValue: "b", operator: { operation: "constructor" } };
    const brought = bring([
      node("If", "if", { conditions: { combinator: "and", conditions: [condition] } }),
      node("Wait", "wait", { amount: 2, unit: "toString" }),
      node("Answer", "respondToWebhook", { respondWith: "valueOf" }),
    ]);
    expect(told(brought, "If")).toEqual(["bring.condition"]);
    expect(stepOf(brought, "Wait")?.config_values).toEqual({ seconds: 2 });
    expect(stepOf(brought, "Answer")?.config_values).toEqual({ body_kind: "json" });
  });

  it("leaves other ways back out, and says so", () => {
    const brought = bring([node("A", "noOp"), node("B", "noOp")], {
      A: { main: [to("B")] },
      B: { main: [to("A")] },
    });
    expect(wiresOf(brought)).toEqual(["A.success>B"]);
    expect(told(brought, "B")).toEqual(["bring.circle"]);
  });

  it("gives a switch one port for each rule, and error outputs their port", () => {
    const rule = (key: string, value: string) => ({
      outputKey: key,
      conditions: {
        combinator: "and",
        conditions: [
          { leftValue: "={{ $json.kind }}", rightValue: value, operator: { operation: "equals" } },
        ],
      },
    });
    const brought = bring(
      [
        node("Kind", "switch", { rules: { values: [rule("Big one!", "a"), rule("error", "b")] } }),
        node(
          "Ask",
          "httpRequest",
          { url: "https://e.org" },
          { onError: "continueErrorOutput", retryOnFail: true, maxTries: 4 },
        ),
        node("Oops", "noOp"),
      ],
      { Kind: { main: [to("Ask"), to("Oops"), to("Oops")] }, Ask: { main: [[], to("Oops")] } },
    );
    expect(stepOf(brought, "Kind")?.config_values.rules).toMatchObject([
      { port: "Big one", left: "{{ data.kind }}", operator: "==", right: "a" },
      { port: "way 2", right: "b" },
    ]);
    expect(wiresOf(brought)).toEqual([
      "Kind.Big one>Ask",
      "Kind.way 2>Oops",
      "Kind.otherwise>Oops",
      "Ask.error>Oops",
    ]);
    expect(stepOf(brought, "Ask")?.retry).toEqual({ attempts: 4, delay_seconds: 1, backoff: 1 });
  });

  it("puts models into the step that uses them, code into a locked step, and programs out of action", () => {
    const brought = bring(
      [
        node("Agent", "@n8n/n8n-nodes-langchain.agent", { text: "={{ $json.chatInput }}" }),
        node("Model", "@n8n/n8n-nodes-langchain.lmChatOpenAi", {
          model: { __rl: true, value: "gpt-x", mode: "list" },
          options: { temperature: 0.2 },
        }),
        node("Memory", "@n8n/n8n-nodes-langchain.memoryBufferWindow"),
        node("Code", "code", { jsCode: "return items;" }),
        node("Run", "executeCommand", { command: "rm -rf /" }),
        node("Remark", "stickyNote", { content: "Look here" }),
      ],
      {
        Model: { ai_languageModel: [[{ node: "Agent", type: "ai_languageModel", index: 0 }]] },
        Memory: { ai_memory: [[{ node: "Agent", type: "ai_memory", index: 0 }]] },
      },
    );
    expect(stepOf(brought, "Agent")?.config_values).toMatchObject({
      model: "gpt-x",
      temperature: 0.2,
      task: "{{ data.chatInput }}",
    });
    expect(told(brought, "Agent")).toEqual(["bring.attached"]);
    expect(told(brought, "Model")).toEqual(["bring.merged"]);
    expect(stepOf(brought, "Model")).toBeUndefined();
    expect(stepOf(brought, "Code")?.module_id).toBe("run_javascript");
    expect(String(stepOf(brought, "Code")?.config_values.code)).toContain("return items;");
    expect(stepOf(brought, "Run")).toMatchObject({ module_id: "shell_command", disabled: true });
    expect(brought.workflow.notes).toMatchObject([{ text: "Look here" }]);
  });

  it.each([
    [{ rule: { interval: [{ field: "minutes", minutesInterval: 5 }] } }, { interval_seconds: 300 }],
    [
      { rule: { interval: [{ field: "days", triggerAtHour: 7, triggerAtMinute: 30 }] } },
      { cron_string: "30 7 * * *" },
    ],
    [
      { rule: { interval: [{ field: "weeks", triggerAtDay: [1, 3], triggerAtHour: 6 }] } },
      { cron_string: "0 6 * * 1,3" },
    ],
    [
      { rule: { interval: [{ field: "cronExpression", expression: "0 */2 * * *" }] } },
      { cron_string: "0 */2 * * *" },
    ],
    [{ triggerTimes: { item: [{ mode: "everyDay", hour: 4 }] } }, { cron_string: "0 4 * * *" }],
  ])("reads the time %j", (parameters, config) => {
    const brought = bring(
      [node("When", "scheduleTrigger", parameters)],
      {},
      { settings: { timezone: "Asia/Jakarta" } },
    );
    expect(stepOf(brought, "When")?.config_values).toEqual({ ...config, timezone: "Asia/Jakarta" });
  });

  it("takes names that are free, one line long, and never another's", () => {
    const long = "x".repeat(5000);
    const brought = bring([node("A\u202eB\nC", "noOp"), node(long, "noOp"), node("Delay", "noOp")], {}, {}, [
      "Delay",
    ]);
    expect(brought.workflow.nodes.map(({ name }) => name)).toEqual(["A B C", "x".repeat(120), "Delay 2"]);
  });

  it("survives what is malformed", () => {
    const brought = bring(
      [
        node("A", "constructor", { __proto__: 1 }),
        node("B", "set", { assignments: "no", values: [1, 2] }, { position: "far", credentials: [] }),
        { name: {}, type: {} },
        node("C", "if", { conditions: { conditions: [null, { operator: 7 }] } }),
      ],
      {
        A: { main: "x" },
        B: 4,
        Nobody: { main: [to("A")] },
        C: { main: [null, [{ node: "Nobody" }, null]] },
      },
    );
    expect(brought.workflow.nodes.map(({ name }) => name)).toEqual(["A", "B", "C"]);
    expect(brought.workflow.connections).toEqual([]);
  });
});
