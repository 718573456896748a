/** Completion inside {{ … }}: variables, the step's data, the data of steps before it. */

import type { CompletionContext, CompletionResult, CompletionSource } from "@codemirror/autocomplete";

export interface Known {
  /** What can stand in an expression, with a word about it. */
  paths: { path: string; about: string }[];
}

const INSIDE = /\{\{\s*([^{}]*)$/;
const TOKEN = /[\w."[\]]*$/;

export function completeExpression(known: () => Known): CompletionSource {
  return (context: CompletionContext): CompletionResult | null => {
    const line = context.state.doc.lineAt(context.pos);
    const before = line.text.slice(0, context.pos - line.from);
    const inside = INSIDE.exec(before);
    if (!inside) return null;
    const token = TOKEN.exec(inside[1] ?? "")?.[0] ?? "";
    const closed = /^\s*[^{}]*\}\}/.test(line.text.slice(context.pos - line.from));
    return {
      from: context.pos - token.length,
      options: known().paths.map(({ path, about }) => ({
        label: path,
        detail: about,
        apply: closed ? path : `${path} }}`,
      })),
      validFor: /^[\w."[\]]*$/,
    };
  };
}
