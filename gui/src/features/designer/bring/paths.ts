/** Paths such as `.a["b c"][0].length` of JavaScript, as our expressions (JMESPath) write them. */

const PLAIN = /^[A-Za-z_][A-Za-z0-9_]*$/;
const SPACE = /^\s*/;
const STEPS: [RegExp, (found: RegExpExecArray) => string | null][] = [
  [/^\??\.([A-Za-z_$][\w$]*)(?!\s*[\w$(])/, ([, name = ""]) => `.${quoted(name)}`],
  [/^(?:\?\.)?\[\s*(-?\d{1,9})\s*\]/, ([, place]) => `[${place}]`],
  [/^(?:\?\.)?\[\s*"((?:[^"\\\n]|\\["\\/])*)"\s*\]/, ([, name = ""]) => `.${quoted(unescaped(name))}`],
  [/^(?:\?\.)?\[\s*'((?:[^'\\\n]|\\['\\/])*)'\s*\]/, ([, name = ""]) => `.${quoted(unescaped(name))}`],
];
const ENDS: [RegExp, (path: string) => string][] = [
  [/^\.(?:toString|toJsonString)\(\s*\)/, (path) => `to_string(${path})`],
  [/^\.first\(\s*\)/, (path) => `${path}[0]`],
  [/^\.last\(\s*\)/, (path) => `${path}[-1]`],
];
const JOIN = /^\.join\(\s*(?:"([^"\\\n]*)"|'([^'\\\n]*)')\s*\)/;
const LENGTH = /^\.length(?![\w$(])/;

export const quoted = (name: string): string => (PLAIN.test(name) ? name : JSON.stringify(name));
const unescaped = (text: string): string => text.replace(/\\(.)/g, "$1");

/** Add a JavaScript path to one of ours; null where it is more than a path. */
export function pathAfter(root: string, script: string): string | null {
  let path = root;
  let rest = script.replace(SPACE, "");
  while (rest) {
    const length = LENGTH.exec(rest);
    if (length) return rest.slice(length[0].length).trim() === "" ? `length(${path})` : null;
    const step = take(rest);
    if (step) {
      path += step.text;
      rest = rest.slice(step.length).replace(SPACE, "");
      continue;
    }
    const join = JOIN.exec(rest);
    const end = ENDS.find(([pattern]) => pattern.test(rest));
    if (join) {
      const between = join[1] ?? join[2] ?? "";
      if (between.includes("'")) return null;
      path = `join('${between}', ${path})`;
      rest = rest.slice(join[0].length);
    } else if (end) {
      path = end[1](path);
      rest = rest.replace(end[0], "");
    } else return null;
    if (path.startsWith("join(") || path.startsWith("to_string(")) return rest.trim() === "" ? path : null;
  }
  return path;
}

function take(rest: string): { text: string; length: number } | null {
  for (const [pattern, say] of STEPS) {
    const found = pattern.exec(rest);
    const text = found && say(found);
    if (found && text) return { text, length: found[0].length };
  }
  return null;
}

/** A plain value of JavaScript as JMESPath writes it; undefined where it is more than that. */
export function literal(script: string): string | undefined {
  const text = script.trim();
  if (/^(?:true|false|null|-?\d{1,15}(?:\.\d{1,15})?)$/.test(text)) return `\`${text}\``;
  const found = /^(?:"([^"\\\n]*)"|'([^'\\\n]*)')$/.exec(text);
  const inner = found && (found[1] ?? found[2] ?? "");
  return inner === null || inner.includes("'") || inner.includes("`") ? undefined : `'${inner}'`;
}

/** A value as JMESPath writes it. */
export const literalOf = (value: unknown): string =>
  typeof value === "string" && !/['\\\n]/.test(value)
    ? `'${value}'`
    : `\`${JSON.stringify(value ?? null).replaceAll("`", "\\`")}\``;
