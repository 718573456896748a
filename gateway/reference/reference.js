// Shows openapi.json and asyncapi.json; everything from them becomes text, never markup.

const REF = "#/components/schemas/";
const main = document.getElementById("main");
const topics = document.getElementById("topics");
const items = [];

function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

const code = (text) => make("code", {}, text);

function typeOf(schema) {
  if (schema === true || !schema || !Object.keys(schema).length) return "anything";
  if (schema.$ref) return schema.$ref.replace(REF, "");
  if ("const" in schema) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  const several = schema.anyOf ?? schema.oneOf;
  if (several) return several.map(typeOf).join(" | ");
  if (schema.allOf) return schema.allOf.map(typeOf).join(" & ");
  if (schema.type === "array") return `list of ${typeOf(schema.items)}`;
  if (schema.type === "object" && schema.additionalProperties) return `map of ${typeOf(schema.additionalProperties)}`;
  return Array.isArray(schema.type) ? schema.type.join(" | ") : (schema.type ?? "object");
}

function limitsOf(schema) {
  const known = ["minLength", "maxLength", "minimum", "maximum", "pattern", "maxItems", "default", "format"];
  return known.filter((name) => name in schema).map((name) => `${name} ${JSON.stringify(schema[name])}`).join(", ");
}

function merged(schema, schemas, depth = 0) {
  const found = schema.$ref ? (schemas[schema.$ref.replace(REF, "")] ?? {}) : schema;
  if (!found.allOf || depth > 4) return found;
  return found.allOf.map((part) => merged(part, schemas, depth + 1)).reduce(
    (whole, part) => ({
      ...whole, ...part,
      properties: { ...whole.properties, ...part.properties },
      required: [...(whole.required ?? []), ...(part.required ?? [])],
    }), {});
}

function fields(schema, schemas) {
  const found = merged(schema, schemas);
  if (!found.properties) return make("p", {}, code(typeOf(schema)), " ", found.description ?? "");
  const required = new Set(found.required ?? []);
  const rows = Object.entries(found.properties).map(([name, each]) => make("tr", {},
    make("td", {}, code(name), required.has(name) ? " *" : ""),
    make("td", {}, typeOf(each)),
    make("td", {}, [each.description, limitsOf(each)].filter(Boolean).join(" · "))));
  return make("div", {}, found.description ? make("p", {}, found.description) : null, table(["member", "type", ""], rows));
}

function table(titles, rows) {
  const head = make("tr", {}, ...titles.map((title) => make("th", { scope: "col" }, title)));
  return make("table", {}, make("thead", {}, head), make("tbody", {}, ...rows));
}

function entry(section, id, text, summary, fill) {
  const body = make("div", { class: "body" });
  const details = make("details", { id }, make("summary", {}, ...summary), body);
  const open = () => { if (details.open && !body.hasChildNodes()) body.append(...fill().filter(Boolean)); };
  details.addEventListener("toggle", open);
  section.append(details);
  items.push({ details, section, text: text.toLowerCase() });
}

function topic(title) {
  const id = `topic-${title.replace(/\W+/g, "-")}`;
  const section = make("section", { id }, make("h2", {}, title));
  main.append(section);
  topics.append(make("a", { href: `#${id}` }, title));
  return section;
}

const PROOFS = { address: "signed by a wallet", engineId: "an engine's token", serviceSecret: "the service secret" };

function proofOf(operation) {
  const names = (operation.security ?? []).flatMap((each) => Object.keys(each));
  return names.length ? (PROOFS[names[0]] ?? names.join(", ")) : "none, open to everybody";
}

function curl(method, path, operation) {
  const lines = [`curl -X ${method.toUpperCase()} ${location.origin}/api/v1${path}`];
  for (const scheme of operation.security?.[0] ? Object.keys(operation.security[0]) : []) {
    const header = { address: "X-User-Address", message: "X-Signed-Message", signature: "X-Signature",
      engineId: "X-Engine-Id", engineToken: "X-Engine-Token", serviceSecret: "X-API-Key" }[scheme];
    if (header) lines.push(`  -H '${header}: …'`);
  }
  if (operation.requestBody) lines.push("  -H 'Content-Type: application/json'", "  -d '{…}'");
  return lines.join(" \\\n");
}

function rest(document_) {
  const schemas = document_.components.schemas;
  const sections = new Map();
  for (const [path, methods] of Object.entries(document_.paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      const tag = operation.tags?.[0] ?? "other";
      if (!sections.has(tag)) sections.set(tag, []);
      sections.get(tag).push([method, path, operation]);
    }
  }
  for (const tag of [...sections.keys()].sort()) {
    const section = topic(tag);
    for (const [method, path, operation] of sections.get(tag)) {
      const summary = [make("span", { class: `method ${method}` }, method.toUpperCase()),
        make("span", { class: "path" }, path), make("span", { class: "says" }, operation.summary ?? "")];
      const text = `${method} ${path} ${operation.operationId} ${operation.summary}`;
      entry(section, operation.operationId, text, summary, () => operationBody(method, path, operation, schemas));
    }
  }
}

function operationBody(method, path, operation, schemas) {
  const parameters = (operation.parameters ?? []).map((each) => make("tr", {},
    make("td", {}, code(each.name), each.required ? " *" : ""), make("td", {}, each.in),
    make("td", {}, typeOf(each.schema)), make("td", {}, limitsOf(each.schema))));
  const sent = operation.requestBody?.content?.["application/json"]?.schema;
  const answers = Object.entries(operation.responses).map(([status, answer]) => {
    const schema = Object.values(answer.content ?? {})[0]?.schema;
    return make("tr", {}, make("td", {}, code(status)), make("td", {}, answer.description),
      make("td", {}, schema ? typeOf(schema) : ""));
  });
  const success = Object.entries(operation.responses).find(([status]) => status.startsWith("2"));
  const shape = success && Object.values(success[1].content ?? {})[0]?.schema;
  const item = shape?.type === "array" ? shape.items : shape;
  return [make("p", {}, "Proof: ", proofOf(operation)), make("pre", {}, curl(method, path, operation)),
    ...(parameters.length ? [make("h3", {}, "Parameters"), table(["name", "in", "type", ""], parameters)] : []),
    ...(sent ? [make("h3", {}, "Body"), fields(sent, schemas)] : []),
    make("h3", {}, "Answers"), table(["status", "meaning", "type"], answers),
    ...(item ? [make("h3", {}, `Answer: ${typeOf(shape)}`), fields(item, schemas)] : [])];
}

function sockets(document_) {
  const schemas = document_.components.schemas;
  const commands = topic("Engine socket: commands");
  const events = topic("Engine socket: events");
  for (const [name, message] of Object.entries(document_.components.messages)) {
    const isCommand = "x-role" in message;
    const summary = [make("span", { class: "path" }, name), make("span", { class: "says" }, message.summary ?? "")];
    entry(isCommand ? commands : events, `message-${name}`, `${name} ${message.summary}`, summary, () => [
      isCommand ? make("p", {}, `Needs the role ${message["x-role"]}; answered with ${message["x-reply"]}.`)
        : make("p", {}, `Goes to ${message["x-audience"]}. On the relay: `, code(message["x-relay-name"])),
      fields(isCommand ? message.payload.properties.payload : message.payload, schemas)]);
  }
}

function filter() {
  const wanted = document.getElementById("filter").value.toLowerCase().split(/\s+/).filter(Boolean);
  const shown = new Set();
  let count = 0;
  for (const { details, section, text } of items) {
    const fits = wanted.every((word) => text.includes(word));
    details.hidden = !fits;
    if (fits) { shown.add(section); count += 1; }
  }
  for (const section of main.querySelectorAll("section")) section.hidden = !shown.has(section);
  document.getElementById("found").textContent = wanted.length ? `${count} of ${items.length}` : `${items.length} in all`;
}

function openNamed() {
  const named = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (named instanceof HTMLDetailsElement) { named.open = true; named.scrollIntoView(); }
}

async function read(path) {
  const answer = await fetch(path);
  if (!answer.ok) throw new Error(`${path} is not there (${answer.status})`);
  return answer.json();
}

try {
  const [openapi, asyncapi] = await Promise.all([read("/api/v1/openapi.json"), read("/api/v1/asyncapi.json")]);
  rest(openapi);
  sockets(asyncapi);
  document.getElementById("about").append(` Version ${openapi.info.version}.`);
  filter();
  openNamed();
} catch (error) {
  main.append(make("p", { role: "alert" }, `The reference cannot be shown: ${error.message}`));
}
main.setAttribute("aria-busy", "false");
document.getElementById("filter").addEventListener("input", filter);
document.getElementById("search").addEventListener("submit", (event) => event.preventDefault());
addEventListener("hashchange", openNamed);
