/** Expressions of n8n (`={{ $json.city }}`) as ours: paths and plain values; what is more than that stays a text. */

import { neutral } from "../given";
import { literal, pathAfter, quoted } from "../paths";

/** What an expression of one step can name. */
export interface Scope {
  /** Where our data holds what `$json` was. */
  root: string;
  /** Steps by their names there: what they are called here, and where their result holds their item. */
  nodes: ReadonlyMap<string, { name: string; root: string }>;
}

/** The longest expression that the engine takes. */
const LONGEST = 2000;
const STRING = `"([^"\\\\\\n]*)"|'([^'\\\\\\n]*)'`;
const OF_NODE = new RegExp(
  `^\\$(?:\\(\\s*(?:${STRING})\\s*\\)|node\\[\\s*(?:${STRING})\\s*\\]|node\\.(\\w+))`,
);
const ITEM = /^(?:\.(?:item|first\(\s*\)|last\(\s*\)))?\.json(?![\w$])/;
const ALL_OF_NODE = /^\.all\(\s*\)\s*$/;
const OWN = /^\$(?:json|input\.(?:item|first\(\s*\)|last\(\s*\))\.json)(?![\w$(])/;

/** Translate a text that began with =; `lost` are the expressions in it that stayed text. */
export function translate(text: string, scope: Scope): { value: string; lost: string[] } {
  const lost: string[] = [];
  let value = "";
  let done = 0;
  while (done < text.length) {
    const open = text.indexOf("{{", done);
    const close = open < 0 ? -1 : text.indexOf("}}", open + 2);
    if (close < 0) break;
    const script = text.slice(open + 2, close);
    const ours = script.length > LONGEST ? null : query(script, scope);
    value += neutral(text.slice(done, open));
    if (ours !== null) value += `{{ ${ours} }}`;
    else {
      lost.push(script.trim().slice(0, 120));
      value += neutral(text.slice(open, close + 2));
    }
    done = close + 2;
  }
  return { value: value + neutral(text.slice(done)), lost };
}

/** One expression in JMESPath; null where it is more than a path, a plain value, or a choice between two of them. */
export function query(script: string, scope: Scope): string | null {
  const text = script.trim();
  const alone = operand(text, scope);
  if (alone !== null) return alone;
  const whole = /^JSON\.stringify\(([^()]*(?:\([^()]*\)[^()]*)*)\)$/.exec(text)?.[1];
  if (whole !== undefined) {
    const inner = operand(whole.replace(/,\s*null\s*,\s*\d\s*$/, "").trim(), scope);
    return inner && `to_string(${inner})`;
  }
  const parts = text.split(/\s*(?:\?\?|\|\|)\s*/);
  if (parts.length < 2 || parts.length > 8) return null;
  const sides = parts.map((part) => operand(part, scope));
  return sides.every((side) => side !== null) ? sides.join(" || ") : null;
}

function operand(text: string, scope: Scope): string | null {
  const plain = literal(text);
  if (plain !== undefined) return plain;
  const own = OWN.exec(text);
  if (own) return pathAfter(scope.root, text.slice(own[0].length));
  if (/^\$input\.all\(\s*\)$/.test(text)) return "data";
  const node = OF_NODE.exec(text);
  if (node) return ofNode(text, node, scope);
  if (/^\$execution\.id$/.test(text)) return "run.id";
  const variable = /^\$(?:vars|env)\.([A-Za-z_]\w*)$/.exec(text)?.[1];
  return variable ? `vars.${variable}` : null;
}

function ofNode(text: string, found: RegExpExecArray, scope: Scope): string | null {
  const named = found.slice(1).find((part) => part !== undefined) ?? "";
  const target = scope.nodes.get(named);
  if (!target) return null;
  const rest = text.slice(found[0].length);
  if (ALL_OF_NODE.test(rest)) return `nodes.${quoted(target.name)}.data`;
  const item = ITEM.exec(rest);
  return item && pathAfter(`nodes.${quoted(target.name)}.${target.root}`, rest.slice(item[0].length));
}
