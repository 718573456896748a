/** Steps of n8n that work on data, texts and files as our components. */

import type { Made } from "../brought";
import { entryOf, isGiven, neutral, plainAt, textAt } from "../given";
import { pathAfter } from "../paths";
import type { Make } from "./logic-steps";
import type { Values } from "./values";

const TYPES: Record<string, string> = {
  string: "text",
  number: "number",
  boolean: "boolean",
  object: "json",
  array: "json",
};

const set: Make = (values) => {
  const keeps =
    values.flag("includeOtherFields") ||
    ["all", "selected", "except"].includes(values.choice("include")) ||
    (values.version < 3 && !values.flag("keepOnlySet"));
  const modern = [...values.list("assignments", "assignments"), ...values.list("fields", "values")];
  const old = ["string", "number", "boolean"].flatMap((kind) =>
    values.list("values", kind).map((row) => ({ ...row, type: kind })),
  );
  const fields = [...modern, ...old].flatMap((row) => {
    const { name, type } = { name: plainAt(row, "name"), type: textAt(row, "type").replace(/Value$/, "") };
    const given = "value" in row ? row.value : Object.entries(row).find(([key]) => /Value$/.test(key))?.[1];
    const kind = entryOf(TYPES, type) ?? "auto";
    return name ? [{ name: name.slice(0, 200), value: values.ours(given ?? "", name), type: kind }] : [];
  });
  if (values.choice("mode") === "raw") return rawSet(values, keeps);
  return { module: "set_fields", config: { fields, keep_input: keeps } };
};

function rawSet(values: Values, keeps: boolean): Made {
  try {
    const found: unknown = JSON.parse(textAt(values.given, "jsonOutput").replace(/^=/, ""));
    const fields = isGiven(found)
      ? Object.entries(found).map(([name, value]) => ({
          name: neutral(name),
          value: values.ours(asExpression(value), name),
        }))
      : [];
    return { module: "set_fields", config: { fields, keep_input: keeps } };
  } catch {
    values.note("bring.expression", {
      field: "jsonOutput",
      expression: textAt(values.given, "jsonOutput").slice(0, 120),
    });
    return { module: "set_fields", config: { fields: [], keep_input: keeps }, level: "check" };
  }
}

const asExpression = (value: unknown): unknown =>
  typeof value === "string" && value.includes("{{") ? `=${value}` : value;

/** n8n's names for the data, around code that was written for it. */
const wrapped = (
  code: string,
  each: boolean,
): string => `// Brought over from n8n: the lines above and below the code give it n8n's names.
function run(payload, log) {
  const data = payload.data;
  const items = (Array.isArray(data) ? data : [data]).map((json) => ({ json }));
  const $input = { all: () => items, first: () => items[0], last: () => items[items.length - 1], item: items[0] };
  const work = function (item, $json) {
${code}
  };
  const found = ${each ? "items.map((one) => work(one.json, one.json))" : "work(items[0], items[0] && items[0].json)"};
  const plain = (one) => (one && typeof one === "object" && "json" in one ? one.json : one);
  const result = Array.isArray(found) ? found.map(plain) : plain(found);
  return { data: Array.isArray(result) && result.length === 1 ? result[0] : result };
}
`;

const codeOf =
  (each: boolean): Make =>
  (values) => {
    values.note("bring.code");
    const language = values.choice("language");
    if (language.startsWith("python")) {
      const python = textAt(values.given, "pythonCode").replace(/^/gm, "    ");
      const text = `def run(payload, log):\n    data = payload["data"]\n    items = data if isinstance(data, list) else [data]\n    _items = items\n    _input = items\n${python || "    return data"}\n`;
      return { module: "function_runner_module", config: { python_code: text }, level: "check" };
    }
    const script = textAt(values.given, "jsCode") || textAt(values.given, "functionCode");
    if (/\bawait\b|\brequire\s*\(|\$\(|\$node\b|\$helpers\b|this\.helpers/.test(script))
      values.note("bring.codeReach");
    const single = each || values.choice("mode") === "runOnceForEachItem";
    return { module: "run_javascript", config: { code: wrapped(script, single) }, level: "check" };
  };

/** A list in the data, named as n8n names fields. */
const listOf = (values: Values, field: string): string => {
  const path = field
    ? pathAfter(values.scope.root, /^[[.]/.test(field) ? field : `.${field}`)
    : values.scope.root;
  return `{{ ${path ?? "data"} }}`;
};

const split: Make = (values) => {
  const field = values.choice("fieldToSplitOut").split(",")[0]?.trim() ?? "";
  return {
    module: "set_fields",
    config: { fields: [{ name: "records", value: listOf(values, field), type: "auto" }], keep_input: false },
    level: "check",
    root: "data.records",
  };
};

const collect: Make = (values) => {
  values.note("bring.items");
  return { module: "set_fields", config: {}, level: "check" };
};

const sort: Make = (values) => {
  const by = values.list("sortFieldsUi", "sortField").map((row) => ({
    field: plainAt(row, "fieldName"),
    order: textAt(row, "order") === "descending" ? "desc" : "asc",
    type: "auto",
  }));
  return {
    module: "sort",
    config: { by, records: "" },
    level: by.length ? "good" : "check",
    root: "data.records",
  };
};

const limit: Make = (values) => {
  const most = values.number("maxItems") ?? 1;
  const part = values.choice("keep") === "lastItems" ? `[-${most}:]` : `[:${most}]`;
  return {
    module: "json_query",
    config: { query: `(records || items || @)${part}`, save_as: "records" },
    level: "check",
    root: "data.records",
  };
};

const repeat: Make = (values) => {
  const size = values.number("batchSize") ?? 1;
  return {
    module: "for_each",
    config: { items: "", batch_size: Math.max(1, size) },
    ports: ["success"],
    level: "check",
    root: "data.results",
  };
};

const dates: Make = (values) => {
  const found: Record<string, string> = {
    addToDate: "add",
    subtractFromDate: "add",
    formatDate: "convert",
    getCurrentDate: "now",
    getTimeBetweenDates: "difference",
  };
  const operation = values.choice("operation");
  const action = entryOf(found, operation) ?? "now";
  const sign = operation === "subtractFromDate" ? -1 : 1;
  const config: Record<string, unknown> = { action, save_as: values.text("outputFieldName") || "date" };
  if (action !== "now")
    config.date = values.text("magnitude") || values.text("date") || values.text("startDate");
  if (action === "difference") config.other_date = values.text("endDate");
  if (action === "add")
    Object.assign(config, {
      amount: sign * (values.number("duration") ?? 1),
      unit: values.choice("timeUnit") || "days",
    });
  return { module: "date_time", config, level: "check" };
};

const crypto: Make = (values) => {
  const wanted = values.choice("type").toLowerCase();
  const algorithm = ["sha256", "sha384", "sha512", "md5", "sha1"].includes(wanted) ? wanted : "sha256";
  return {
    module: "hash",
    config: { algorithm, text: values.text("value"), save_as: values.text("dataPropertyName") || "hash" },
    level: "check",
  };
};

const html: Make = (values) => {
  if (values.choice("operation") !== "extractHtmlContent") return template(values.text("html"));
  const fields = values.list("extractionValues", "values").map((row) => ({
    name: plainAt(row, "key"),
    selector: plainAt(row, "cssSelector"),
    take: ["html", "attribute", "text"].includes(textAt(row, "returnValue"))
      ? textAt(row, "returnValue")
      : "text",
    ...(textAt(row, "attribute") ? { attribute: plainAt(row, "attribute") } : {}),
    many: row.returnArray === true,
  }));
  const from = values.choice("dataPropertyName") || "data";
  return {
    module: "html_extract",
    config: { fields, text: listOf(values, from) },
    level: "check",
    root: "data.html",
  };
};

const template = (text: string): Made => ({ module: "template", config: { template: text }, level: "check" });

const markdown: Make = (values) =>
  values.choice("mode") === "markdownToHtml"
    ? {
        module: "markdown_to_html",
        config: { text: values.text("markdown"), save_as: values.text("destinationKey") || "html" },
      }
    : { module: "set_fields", config: {}, level: "unknown", disabled: true };

const xml: Make = (values) => ({
  module: "xml",
  config: {
    action: values.choice("mode") === "jsonToxml" ? "build" : "parse",
    text: listOf(values, values.choice("dataPropertyName") || "data"),
  },
  level: "check",
});

const fromFile: Make = (values) => {
  values.note("bring.file");
  const kind = values.choice("operation") || values.choice("fileFormat");
  if (kind === "pdf") return { module: "pdf", config: { paths: "?" }, level: "check" };
  if (/^xls/.test(kind))
    return { module: "excel_read", config: { path: "?" }, level: "check", root: "data.records" };
  if (/^(?:text|fromJson|html|binaryToPropery)$/.test(kind))
    return { module: "read_file", config: { path: "?" }, level: "check" };
  return { module: "csv_read", config: {}, level: "check", root: "data.records" };
};

const toFile: Make = (values) => {
  values.note("bring.file");
  const kind = values.choice("operation") || values.choice("fileFormat");
  const path = values.text("options", "fileName") || "?";
  if (/^xls/.test(kind)) return { module: "excel_write", config: { path }, level: "check" };
  if (kind === "csv") return { module: "csv_write", config: { to: "file", path }, level: "check" };
  return { module: "write_file", config: { path }, level: "check" };
};

const readFile: Make = (values) => {
  if (values.choice("operation") === "write") return writeFile(values);
  return {
    module: "read_file",
    config: { path: values.text("fileSelector") || values.text("filePath") || "?" },
    level: "check",
    root: "data",
  };
};

const writeFile: Make = (values) => ({
  module: "write_file",
  config: { path: values.text("fileName") || "?" },
  level: "check",
});

export const DATA: Record<string, Make> = {
  set,
  code: codeOf(false),
  function: codeOf(false),
  functionItem: codeOf(true),
  splitOut: split,
  itemLists: split,
  aggregate: collect,
  sort,
  limit,
  splitInBatches: repeat,
  dateTime: dates,
  crypto,
  html,
  htmlExtract: html,
  markdown,
  xml,
  extractFromFile: fromFile,
  spreadsheetFile: fromFile,
  readPDF: fromFile,
  convertToFile: toFile,
  readWriteFile: readFile,
  readBinaryFile: readFile,
  readBinaryFiles: readFile,
  writeBinaryFile: writeFile,
};
