/** Steps of n8n that talk to others as our components: HTTP, mail, databases, language models, programs. */

import type { Made } from "../brought";
import { at, entryOf, plainAt } from "../given";
import type { Make } from "./logic-steps";
import type { Values } from "./values";

const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];

const http: Make = (values) => {
  const method = (values.choice("method") || values.choice("requestMethod") || "GET").toUpperCase();
  const config: Record<string, unknown> = {
    method: METHODS.includes(method) ? method : "GET",
    url: values.text("url"),
    ...authOf(values),
  };
  const rows = (place: string, old: string) =>
    values.pairs([...values.list(place, "parameters"), ...values.list(old, "parameter")]);
  const query = rows("queryParameters", "queryParametersUi");
  const headers = rows("headerParameters", "headerParametersUi");
  if (query.length) config.query = query;
  if (headers.length) config.headers = headers;
  Object.assign(config, bodyOf(values));
  const timeout = at(values.options(), "timeout");
  if (typeof timeout === "number" && timeout > 0) config.timeout_seconds = timeout / 1000;
  return {
    module: "http_request",
    config,
    root: "data.body",
    ...(config.auth === "none" ? {} : { level: "check" as const }),
  };
};

/** How the request proved who it was; the secret itself is never part of an export. */
function authOf(values: Values): Record<string, unknown> {
  const kind = `${values.choice("authentication")} ${values.choice("genericAuthType")} ${values.choice("nodeCredentialType")}`;
  if (/basicAuth/i.test(kind))
    return { auth: "basic", username: "{{vars.HTTP_USER}}", password: "{{vars.HTTP_PASSWORD}}" };
  if (/headerAuth|queryAuth/i.test(kind))
    return {
      auth: "api_key",
      api_key: "{{vars.HTTP_KEY}}",
      ...(/queryAuth/i.test(kind) ? { api_key_in: "query" } : {}),
    };
  const other = values.choice("authentication");
  return other && other !== "none" ? { auth: "bearer", token: "{{vars.HTTP_TOKEN}}" } : { auth: "none" };
}

function bodyOf(values: Values): Record<string, unknown> {
  const fields = values.pairs([
    ...values.list("bodyParameters", "parameters"),
    ...values.list("bodyParametersUi", "parameter"),
  ]);
  const kind = values.choice("contentType") || values.choice("bodyContentType");
  if (!values.flag("sendBody") && !fields.length && !values.text("bodyParametersJson")) return {};
  if (/^(?:form-urlencoded|multipart-form-data)$/.test(kind))
    return { body_kind: kind.startsWith("form") ? "form" : "multipart", form_fields: fields };
  if (/^(?:raw|binaryData)$/.test(kind)) {
    if (kind === "binaryData") values.note("bring.file");
    return { body_kind: "text", body: values.text("body") };
  }
  const whole = values.text("jsonBody") || values.text("bodyParametersJson");
  if (whole) return { body_kind: "json", body: whole };
  return { body_kind: "json", body: Object.fromEntries(fields.map(({ name, value }) => [name, value])) };
}

const graphql: Make = (values) => ({
  module: "http_request",
  config: {
    method: "POST",
    url: values.text("endpoint"),
    body_kind: "json",
    body: { query: values.text("query"), variables: values.value("variables") ?? {} },
  },
  level: "check",
  root: "data.body",
});

const answer: Make = (values) => {
  const kind = values.choice("respondWith") || "firstIncomingItem";
  const body = values.text("responseBody");
  const status = at(values.options(), "responseCode");
  const kinds: Record<string, string> = { text: "text", noData: "none" };
  return {
    module: "webhook_response",
    config: {
      body_kind: entryOf(kinds, kind) ?? "json",
      ...(body ? { body } : {}),
      ...(typeof status === "number" ? { status } : {}),
    },
    root: "data",
  };
};

const mail: Make = (values) => ({
  module: "send_email",
  config: {
    host: "{{vars.MAIL_HOST}}",
    username: "{{vars.MAIL_USER}}",
    password: "{{vars.MAIL_PASSWORD}}",
    sender: values.text("fromEmail"),
    to: values.text("toEmail") || values.text("sendTo"),
    subject: values.text("subject"),
    text: values.text("text") || values.text("message"),
    ...(values.text("html") ? { html: values.text("html") } : {}),
  },
  level: "check",
});

const feed: Make = (values) => ({
  module: "rss",
  config: { url: values.text("url") || values.text("feedUrl") },
  root: "data.items[0]",
});

const sql: Make = (values) => ({
  module: "sql_query",
  config: {
    url: "{{vars.DATABASE_URL}}",
    query: values.text("query") || `SELECT * FROM ${values.text("table") || "?"}`,
    read_only: !/executeQuery|insert|update|delete|upsert/i.test(values.choice("operation")),
  },
  level: "check",
  root: "data.rows[0]",
});

const redis: Make = (values) => ({
  module: "redis_command",
  config: {
    url: "{{vars.REDIS_URL}}",
    command: ["get", "set", "incr", "keys"].includes(values.choice("operation"))
      ? values.choice("operation")
      : "get",
    arguments: [values.text("key"), values.text("value")].filter(Boolean),
  },
  level: "check",
});

const queue: Make = (values) => ({
  module: "mqtt_publish",
  config: { host: "{{vars.MQTT_HOST}}", topic: values.text("topic") || "?", message: values.text("message") },
  level: "check",
});

/** Programs of another machine never run here by themselves. */
const program: Make = (values) => {
  values.note("bring.program");
  return {
    module: "shell_command",
    config: { command: values.text("command") || "true", shell: true },
    level: "unknown",
    disabled: true,
  };
};

/** The language model that was attached, or that the step itself names. */
function model(values: Values): Record<string, unknown> {
  const own = values.attached.find(({ type }) => /^lm/.test(type))?.given ?? values.given;
  const found = at(own, "model");
  const name =
    plainAt({ name: typeof found === "object" && found !== null ? at(found, "value") : found }, "name") ||
    plainAt(own, "modelId", "value");
  const heat = at(own, "options", "temperature");
  for (const { type } of values.attached) if (!/^lm/.test(type)) values.note("bring.attached", { was: type });
  return {
    api_key: "{{vars.AI_KEY}}",
    model: name.replace(/^=.*/s, "") || "?",
    ...(typeof heat === "number" ? { temperature: Math.min(2, Math.max(0, heat)) } : {}),
  };
}

const messagesOf = (values: Values): string =>
  [
    ...values.list("messages", "values"),
    ...values.list("messages", "messageValues"),
    ...values.list("prompt", "messages"),
    ...values.list("responses", "values"),
  ]
    .map((row) => values.ours(row.content ?? row.message ?? "", "messages"))
    .filter((text) => typeof text === "string" && text)
    .join("\n\n");

const chat: Make = (values) => ({
  module: "ai_chat",
  config: {
    ...model(values),
    prompt:
      (values.choice("promptType") === "auto" ? "" : values.text("text")) ||
      messagesOf(values) ||
      "{{ data.chatInput || data.body.chatInput }}",
    ...(values.text("options", "systemMessage") ? { system: values.text("options", "systemMessage") } : {}),
  },
  level: "check",
});

const agent: Make = (values) => {
  const system = values.text("options", "systemMessage");
  return {
    module: "ai_agent",
    config: {
      ...model(values),
      task: values.text("text") || "{{ data.chatInput || data.body.chatInput }}",
      ...(system ? { system } : {}),
    },
    level: "check",
  };
};

const extract: Make = (values) => ({
  module: "ai_extract",
  config: {
    ...model(values),
    text: values.text("text") || "{{ data.text }}",
    shape: values.text("inputSchema") || { type: "object" },
  },
  level: "check",
});

export const NETWORK: Record<string, Make> = {
  httpRequest: http,
  graphql,
  respondToWebhook: answer,
  emailSend: mail,
  rssFeedRead: feed,
  postgres: sql,
  redis,
  mqtt: queue,
  executeCommand: program,
  openAi: chat,
  chainLlm: chat,
  agent,
  informationExtractor: extract,
};

/** Services that are called by HTTP: where, for whoever fills the step in. */
const SERVICES: Record<string, string> = {
  airtable: "https://api.airtable.com/v0",
  asana: "https://app.asana.com/api/1.0",
  clickUp: "https://api.clickup.com/api/v2",
  discord: "https://discord.com/api/v10",
  dropbox: "https://api.dropboxapi.com/2",
  github: "https://api.github.com",
  gitlab: "https://gitlab.com/api/v4",
  gmail: "https://gmail.googleapis.com/gmail/v1/users/me",
  googleCalendar: "https://www.googleapis.com/calendar/v3",
  googleDocs: "https://docs.googleapis.com/v1",
  googleDrive: "https://www.googleapis.com/drive/v3",
  googleSheets: "https://sheets.googleapis.com/v4/spreadsheets",
  hubspot: "https://api.hubapi.com",
  mailchimp: "https://us1.api.mailchimp.com/3.0",
  microsoftOutlook: "https://graph.microsoft.com/v1.0/me",
  notion: "https://api.notion.com/v1",
  pipedrive: "https://api.pipedrive.com/v1",
  sendGrid: "https://api.sendgrid.com/v3",
  slack: "https://slack.com/api",
  stripe: "https://api.stripe.com/v1",
  supabase: "https://PROJECT.supabase.co/rest/v1",
  telegram: "https://api.telegram.org",
  todoist: "https://api.todoist.com/rest/v2",
  trello: "https://api.trello.com/1",
  twilio: "https://api.twilio.com/2010-04-01",
  wordpress: "https://SITE/wp-json/wp/v2",
  youTube: "https://www.googleapis.com/youtube/v3",
};

/** A call of a service, prepared but switched off: address and key are for a person to fill in. */
export function serviceCall(kind: string, values: Values): Made | null {
  const url = entryOf(SERVICES, kind);
  if (url === undefined) return null;
  values.note("bring.service", { was: kind, url });
  return {
    module: "http_request",
    config: { method: "GET", url, auth: "bearer", token: "{{vars.HTTP_TOKEN}}" },
    level: "unknown",
    disabled: true,
    root: "data.body",
  };
}
