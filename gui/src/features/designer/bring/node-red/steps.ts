/** The nodes of Node-RED that start flows, lead messages, and change them, as our components. */

import type { Made } from "../brought";
import { entryOf, plainAt, textAt } from "../given";
import { portName } from "../n8n/logic-steps";
import { NETWORK } from "./network-steps";
import type { Values } from "./values";

export type Make = (values: Values) => Made;

const inject: Make = (values) => {
  const every = values.number("repeat");
  const cron = values.text("crontab").trim();
  const value = values.typed(values.given.payload, values.given.payloadType ?? "date", "payload");
  const empty = value === "" || values.raw("payloadType") === "date";
  if (cron) return { module: "cron_trigger", config: { cron_string: cron.slice(0, 100) } };
  if (every) return { module: "cron_trigger", config: { interval_seconds: Math.max(1, every) } };
  if (empty) return { module: "manual_trigger", config: {} };
  const topic = values.text("topic");
  const rows = [{ name: "payload", value }, ...(topic ? [{ name: "topic", value: topic }] : [])];
  return { module: "static_data_provider_module", config: { variables_to_set: rows } };
};

const debug: Make = (values) => {
  const whole = values.raw("complete") === "true" || values.raw("targetType") === "full";
  const title = values.text("name").slice(0, 100) || "Debug";
  const content = whole
    ? {}
    : { content: values.message(values.raw("complete").replace(/^false$/, ""), "complete") };
  return { module: "debug_popup_module", config: { popup_title: title, ...content } };
};

const change: Make = (values) => {
  const fields: { name: string; value: unknown }[] = [];
  const remove: string[] = [];
  const old = values.list("rules").length === 0 && values.raw("action") ? [values.given] : [];
  for (const rule of [...values.list("rules"), ...old]) {
    const [kind, name] = [
      textAt(rule, "t") || textAt(rule, "action"),
      plainAt(rule, "p") || plainAt(rule, "property"),
    ];
    if (textAt(rule, "pt") && textAt(rule, "pt") !== "msg")
      values.note("bring.choice", { field: name, value: textAt(rule, "pt") });
    else if (kind === "set" || kind === "replace")
      fields.push({ name, value: values.typed(rule.to, rule.tot, name) });
    else if (kind === "delete") remove.push(name);
    else if (kind === "move") {
      fields.push({ name: plainAt(rule, "to"), value: values.message(name, name) });
      remove.push(name);
    } else values.note("bring.choice", { field: name, value: kind });
  }
  return {
    module: "set_fields",
    config: { fields, keep_input: true, ...(remove.length ? { remove: remove.join(", ") } : {}) },
  };
};

const OPERATORS: Record<string, string> = {
  eq: "==",
  neq: "!=",
  lt: "<",
  lte: "<=",
  gt: ">",
  gte: ">=",
  cont: "contains",
  null: "is empty",
  nnull: "is not empty",
  empty: "is empty",
  nempty: "is not empty",
  true: "==",
  false: "==",
  istype: "is number",
};

const switchOver: Make = (values) => {
  const taken = new Set<string>();
  const rules: { port: string; operator: string; right: unknown }[] = [];
  const ports = values.list("rules").map((rule, place) => {
    const kind = textAt(rule, "t");
    if (kind === "else") return "otherwise";
    const port = portName(`${kind} ${textAt(rule, "v")}`, place, taken);
    const operator = entryOf(OPERATORS, kind);
    if (!operator) values.note("bring.condition", { operation: kind });
    const right =
      kind === "true" || kind === "false" ? kind === "true" : values.typed(rule.v ?? "", rule.vt, "rules");
    rules.push({ port, operator: operator ?? "==", right });
    return port;
  });
  const all = values.raw("checkall") !== "false";
  const value = values.typed(
    values.given.property ?? "payload",
    values.given.propertyType ?? "msg",
    "property",
  );
  return { module: "switch", config: { value, rules, mode: all ? "all" : "first" }, ports };
};

const template: Make = (values) => {
  const given = values.raw("template");
  const field = values.text("field") || "payload";
  if (/\{\{[#^/>&]|\{\{\{/.test(given)) values.note("bring.mustache");
  const text = given
    .replace(/\{%/g, "{ %")
    .replace(/\{\{\s*([A-Za-z_][\w.]{0,200})\s*\}\}/g, (whole, path: string) => {
      const ours = values.path(path);
      return ours ? `{{ ${ours} }}` : whole;
    });
  return { module: "template", config: { template: text || " ", save_as: field.replace(/\./g, "_") } };
};

const wrapped = (
  code: string,
): string => `// Brought over from Node-RED: the lines above and below the code give it Node-RED's names.
function run(payload, log) {
  const msg = payload.data && typeof payload.data === "object" ? { ...payload.data } : { payload: payload.data };
  const node = { log, warn: (text) => log(String(text), "WARN"), error: (text) => log(String(text), "ERROR"), send: (sent) => { out = sent; }, status() {}, done() {} };
  let out;
  const found = (function () {
${code}
  })();
  const result = found === undefined ? out : found;
  return { data: Array.isArray(result) ? (result.find((one) => one) ?? {}) : (result ?? {}) };
}
`;

const code: Make = (values) => {
  values.note("bring.code");
  const script = values.raw("func");
  if ((values.number("outputs") ?? 1) > 1)
    values.note("bring.outputs", { count: values.number("outputs") ?? 1 });
  if (/\b(?:flow|global|context|env)\.(?:get|set)\b|\brequire\s*\(|\bawait\b/.test(script))
    values.note("bring.codeReach");
  const ports = Array.from({ length: Math.min(20, values.number("outputs") ?? 1) }, () => "success");
  return {
    module: "run_javascript",
    config: { code: wrapped(script) },
    ports,
    level: "check",
    root: "data.payload",
  };
};

const UNITS: Record<string, number> = {
  milliseconds: 0.001,
  seconds: 1,
  minutes: 60,
  hours: 3600,
  days: 86_400,
  second: 1,
  minute: 60,
  hour: 3600,
  day: 86_400,
};

const delay: Make = (values) => {
  if (values.raw("pauseType") === "rate" || values.raw("pauseType") === "queue")
    return {
      module: "rate_limit",
      config: {
        most: Math.max(1, values.number("rate") ?? 1),
        window_seconds: (values.number("nbRateUnits") ?? 1) * (entryOf(UNITS, values.raw("rateUnits")) ?? 1),
      },
      ports: ["passed"],
    };
  if (values.raw("pauseType") !== "delay")
    values.note("bring.choice", { field: "pauseType", value: values.raw("pauseType") });
  return {
    module: "delay",
    config: { seconds: (values.number("timeout") ?? 1) * (entryOf(UNITS, values.raw("timeoutUnits")) ?? 1) },
  };
};

const text = (values: Values) => values.message(values.raw("property") || "payload", "property");
const join: Make = (values) => {
  values.note("bring.join");
  return { module: "merge", config: { mode: "append" }, level: "check", root: "data.records" };
};
const json: Make = (values) => ({
  module: "encode",
  config: {
    action: values.raw("action") === "str" ? "encode" : "decode",
    format: "json",
    text: text(values),
    save_as: "payload",
  },
  level: "check",
});
const csv: Make = (values) => ({
  module: "csv_read",
  config: { text: text(values), save_as: "payload" },
  level: "check",
});
const xml: Make = (values) => ({
  module: "xml",
  config: { action: "parse", text: text(values), save_as: "payload" },
  level: "check",
});
const html: Make = (values) => {
  const take = values.raw("ret") === "html" || values.raw("ret") === "text" ? values.raw("ret") : "text";
  const fields = [{ name: "found", selector: values.text("tag"), take, many: true }];
  return {
    module: "html_extract",
    config: { fields, text: text(values), save_as: "payload" },
    level: "check",
  };
};
const readFile: Make = (values) => {
  values.note("bring.file");
  return {
    module: "read_file",
    config: { path: values.text("filename") || "?" },
    level: "check",
    root: "data.text",
  };
};
const writeFile: Make = (values) => {
  values.note("bring.file");
  return {
    module: "write_file",
    config: { path: values.text("filename") || "?", content: text(values) },
    level: "check",
  };
};
const sort: Make = () => ({
  module: "sort",
  config: { records: "{{ data.payload }}", save_as: "payload" },
  level: "check",
});
const failed: Make = (values) => {
  values.note("bring.catch");
  return { module: "set_fields", config: {}, level: "unknown", disabled: true };
};

export const STEPS: Record<string, Make> = {
  ...NETWORK,
  inject,
  debug,
  change,
  switch: switchOver,
  template,
  function: code,
  delay,
  join,
  json,
  csv,
  xml,
  html,
  "file in": readFile,
  file: writeFile,
  sort,
  catch: failed,
};
