/** The nodes of Node-RED that talk to others, and those that run programs, as our components. */

import { neutral, textAt } from "../given";
import type { Make } from "./steps";
import type { Values } from "./values";

const httpIn: Make = (values) => {
  values.note("bring.webhookOpen");
  const get = values.raw("method") === "get" ? { allow_get: true } : {};
  return {
    module: "webhook_trigger",
    config: { auth: "secret", secret: "{{vars.WEBHOOK_SECRET}}", wait_seconds: 60, ...get },
    level: "check",
    root: "data.body",
  };
};

const httpOut: Make = (values) => {
  const status = values.number("statusCode");
  return {
    module: "webhook_response",
    config: { body: values.message("payload", "body"), ...(status ? { status } : {}) },
  };
};

const http: Make = (values) => {
  const method = values.raw("method").toUpperCase();
  const known = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"].includes(method);
  if (!known) values.note("bring.choice", { field: "method", value: method });
  const url = values.raw("url");
  const body = known && !/^(?:GET|HEAD|DELETE|OPTIONS)$/.test(method);
  return {
    module: "http_request",
    config: {
      method: known ? method : "GET",
      url: /\{\{/.test(url)
        ? url.replace(/\{\{\{?\s*([\w.]{1,200})\s*\}?\}\}/g, (_, path: string) => values.message(path, "url"))
        : neutral(url) || values.message("url", "url"),
      ...(body ? { body_kind: "json", body: values.message("payload", "body") } : {}),
      ...(values.raw("authType") === "basic"
        ? { auth: "basic", username: "{{vars.HTTP_USER}}", password: "{{vars.HTTP_PASSWORD}}" }
        : {}),
    },
    root: "data.body",
  };
};

function broker(values: Values): Record<string, unknown> {
  const given = values.config("broker");
  const port = Number(textAt(given, "port"));
  const tls = given.usetls === true;
  return {
    host: neutral(textAt(given, "broker")) || "{{vars.MQTT_HOST}}",
    security: tls ? "tls" : "none",
    port: Number.isInteger(port) && port > 0 && port < 65_536 ? port : tls ? 8883 : 1883,
  };
}

const listen: Make = (values) => {
  values.note("bring.listen");
  return {
    module: "mqtt_wait",
    config: { ...broker(values), topics: values.text("topic") || "?" },
    level: "check",
    root: "data.messages[0].content",
  };
};

const publish: Make = (values) => ({
  module: "mqtt_publish",
  config: {
    ...broker(values),
    topic: values.text("topic") || values.message("topic", "topic"),
    message: values.message("payload", "message"),
  },
});

const program: Make = (values) => {
  values.note("bring.program");
  return {
    module: "shell_command",
    config: { command: values.text("command") || "true" },
    level: "unknown",
    disabled: true,
  };
};
const mail: Make = (values) => ({
  module: "send_email",
  config: {
    host: values.text("server") || "{{vars.MAIL_HOST}}",
    username: "{{vars.MAIL_USER}}",
    password: "{{vars.MAIL_PASSWORD}}",
    sender: "{{vars.MAIL_USER}}",
    to: values.text("name"),
    subject: values.message("topic", "subject"),
    text: values.message("payload", "text"),
  },
  level: "check",
});

export const NETWORK: Record<string, Make> = {
  "http in": httpIn,
  "http response": httpOut,
  "http request": http,
  "mqtt in": listen,
  "mqtt out": publish,
  exec: program,
  "e-mail": mail,
};
