/** Triggers and logic of n8n as our components. */

import type { Made } from "../brought";
import { entryOf, isGiven, listAt, numberAt, objectAt, plainAt, textAt } from "../given";
import { conditionsIn, joined } from "./conditions";
import type { Values } from "./values";

export type Make = (values: Values) => Made;

const webhook: Make = (values) => {
  const open = values.choice("authentication") === "none" || values.choice("authentication") === "";
  const method = values.choice("httpMethod") || "GET";
  values.note(open ? "bring.webhookOpen" : "bring.webhook");
  return {
    module: "webhook_trigger",
    config: {
      auth: "secret",
      secret: "{{vars.WEBHOOK_SECRET}}",
      ...(method === "GET" ? { allow_get: true } : {}),
      ...(/^(?:lastNode|responseNode)$/.test(values.choice("responseMode")) ? { wait_seconds: 60 } : {}),
    },
    level: "check",
  };
};

/** Chats, forms, and whatever else brings data from outside. */
const door: Make = (values) => {
  values.note("bring.door");
  return { ...webhook(values), level: "check" };
};

const SECONDS: Record<string, number> = {
  seconds: 1,
  second: 1,
  minutes: 60,
  minute: 60,
  hours: 3600,
  hour: 3600,
  days: 86_400,
  day: 86_400,
  weeks: 604_800,
  week: 604_800,
};

const schedule: Make = (values) => {
  const rows = [...values.list("rule", "interval"), ...values.list("triggerTimes", "item")];
  const [row = {}] = rows;
  if (rows.length > 1) values.note("bring.times", { count: rows.length });
  const field =
    textAt(row, "field") || textAt(row, "mode").replace(/^every(\w)/, (_, first: string) => first);
  const [minute, hour] = [
    numberAt(row, "triggerAtMinute") ?? numberAt(row, "minute") ?? 0,
    numberAt(row, "triggerAtHour") ?? numberAt(row, "hour") ?? 0,
  ];
  const every = numberAt(row, `${field}Interval`) ?? numberAt(row, "value") ?? 1;
  const name = field.toLowerCase();
  const cron = (text: string): Made => ({ module: "cron_trigger", config: { cron_string: text } });
  if (name === "cronexpression" || name === "custom")
    return cron((plainAt(row, "expression") || plainAt(row, "cronExpression")).replace(/^=/, "").trim());
  if (name === "x") return interval(every, textAt(row, "unit"));
  if (name === "weeks" || name === "week") {
    const days = listAt(row, "triggerAtDay").filter((day) => typeof day === "number");
    return cron(`${minute} ${hour} * * ${(days.length ? days : [numberAt(row, "weekday") ?? 1]).join(",")}`);
  }
  if (name === "months" || name === "month")
    return cron(
      `${minute} ${hour} ${numberAt(row, "triggerAtDayOfMonth") ?? numberAt(row, "dayOfMonth") ?? 1} * *`,
    );
  if ((name === "days" || name === "day" || name === "") && every === 1)
    return cron(`${minute} ${hour} * * *`);
  return interval(every, name);
};

const interval = (every: number, unit: string): Made => ({
  module: "cron_trigger",
  config: { interval_seconds: Math.max(1, every * (entryOf(SECONDS, unit) ?? 60)) },
});

const choose: Make = (values) => {
  const { left, operator, right } = joined(conditionsIn(values.given, values), values);
  return { module: "if_condition", config: { left, operator, right }, ports: ["true", "false"] };
};

const keep: Make = (values) => {
  values.note("bring.filter");
  return { ...choose(values), level: "check" };
};

const switchOver: Make = (values) => {
  const given = [...values.list("rules", "values"), ...values.list("rules", "rules")].slice(0, 50);
  const value = values.value("value1");
  const taken = new Set<string>();
  const rules = given.map((rule, place) => {
    const port = portName(textAt(rule, "outputKey"), place, taken);
    if (isGiven(rule.conditions)) {
      const { left, operator, right } = joined(conditionsIn(rule, values), values);
      return { port, left, operator, right };
    }
    const condition = conditionsIn({ conditions: { any: [{ ...rule, value1: "" }] } }, values).list[0];
    return { port, operator: condition?.operator ?? "==", right: condition?.right ?? "" };
  });
  if (values.choice("mode") === "expression") values.note("bring.switchExpression");
  const ports = [...rules.map(({ port }) => port), "otherwise"];
  const all = objectAt(values.given, "options").allMatchingOutputs === true;
  return {
    module: "switch",
    config: { ...(value === undefined ? {} : { value }), rules, mode: all ? "all" : "first" },
    ports,
    ...(rules.length ? {} : { level: "check" as const }),
  };
};

const RESERVED = /^(?:otherwise|error|failure|success|output|default|source|out|main|result|input)$/i;

/** A name that a port may have: letters and digits first, each name once. */
export function portName(wanted: string, place: number, taken: Set<string>): string {
  const plain = wanted
    .replace(/[^A-Za-z0-9_ -]+/g, " ")
    .trim()
    .replace(/^[^A-Za-z0-9]+/, "")
    .slice(0, 36)
    .trim();
  let name = plain && !RESERVED.test(plain) ? plain : `way ${place + 1}`;
  if (taken.has(name)) name = `${name.slice(0, 30)} ${place + 1}`;
  taken.add(name);
  return name;
}

const MERGES: Record<string, string> = {
  append: "append",
  combineByPosition: "combine_by_position",
  mergeByPosition: "combine_by_position",
  mergeByIndex: "combine_by_position",
  combineByFields: "combine_by_key",
  mergeByFields: "combine_by_key",
  mergeByKey: "combine_by_key",
  chooseBranch: "choose_first",
  passThrough: "choose_first",
  wait: "choose_first",
};

const merge: Make = (values) => {
  const mode = values.choice("mode") || "append";
  const how =
    mode === "combine"
      ? values.choice("combineBy") || values.choice("combinationMode") || "combineByFields"
      : mode;
  const found = entryOf(MERGES, how);
  if (!found) values.note("bring.choice", { field: "mode", value: how });
  const rows = values.list("mergeByFields", "values");
  const key =
    values.text("fieldsToMatchString") ||
    values.text("propertyName1") ||
    rows.map((row) => plainAt(row, "field1")).join(", ");
  return {
    module: "merge",
    config: { mode: found ?? "append", ...(found === "combine_by_key" ? { key } : {}) },
    level: found ? "good" : "check",
    root: "data.records",
  };
};

const wait: Make = (values) => {
  const resume = values.choice("resume") || "timeInterval";
  if (resume === "specificTime") return { module: "wait_until", config: { until: values.text("dateTime") } };
  if (resume !== "timeInterval")
    return { module: "wait_for_event", config: { show_address: "log" }, level: "check" };
  const amount = values.number("amount");
  if (amount === null) values.note("bring.choice", { field: "amount", value: values.text("amount") });
  return {
    module: "wait_until",
    config: { seconds: (amount ?? 1) * (entryOf(SECONDS, values.choice("unit") || "hours") ?? 1) },
  };
};

const call: Make = (values) => {
  const name = values.text("workflowId") || values.text("source");
  values.note("bring.workflow", { name: textAt(values.given, "workflowId", "cachedResultName") || name });
  const preset = plainAt(values.given, "workflowId", "cachedResultName") || name || "?";
  return { module: "sub_workflow", config: { preset_name: preset.slice(0, 120) }, level: "check" };
};

const stop: Make = (values) => ({
  module: "stop_with_error",
  config: { message: values.text("errorMessage") || values.text("errorObject") || "?" },
  ports: [],
});

const nothing: Make = () => ({ module: "set_fields", config: {} });
const byHand: Make = () => ({ module: "manual_trigger", config: {} });

const failed: Make = (values) => {
  values.note("bring.errorTrigger");
  return { module: "run_finished_trigger", config: { status_filter: "FAILED" }, level: "check" };
};

const watchFiles: Make = (values) => ({
  module: "file_system_trigger",
  config: { path_to_watch: values.text("path") || "." },
  level: "check",
});

export const LOGIC: Record<string, Make> = {
  manualTrigger: byHand,
  start: byHand,
  executeWorkflowTrigger: byHand,
  webhook,
  formTrigger: door,
  chatTrigger: door,
  scheduleTrigger: schedule,
  cron: schedule,
  interval: (values) => interval(values.number("interval") ?? 1, values.choice("unit") || "seconds"),
  errorTrigger: failed,
  localFileTrigger: watchFiles,
  if: choose,
  filter: keep,
  switch: switchOver,
  merge,
  wait,
  noOp: nothing,
  executeWorkflow: call,
  stopAndError: stop,
};
