import { autocompletion, closeBrackets, closeCompletion, startCompletion } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { HighlightStyle, indentOnInput, syntaxHighlighting } from "@codemirror/language";
import { Annotation, EditorState, type Extension } from "@codemirror/state";
import {
  Decoration,
  type DecorationSet,
  EditorView,
  keymap,
  lineNumbers,
  MatchDecorator,
  placeholder as placeholderOf,
  ViewPlugin,
  type ViewUpdate,
} from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { useEffect, useRef } from "react";
import { completeExpression, type Known } from "./completion";
import { EMPTY_EXPRESSION } from "./fields";
import { onEscape } from "./proposals";

interface Props {
  label: string;
  value: string;
  language: string;
  placeholder: string;
  rows: number;
  invalid: boolean;
  known(): Known;
  /** Whether the person just came to type here. */
  focus?: boolean;
  onChange(text: string): void;
}

const FROM_OUTSIDE = Annotation.define<boolean>();

const COLOURS = HighlightStyle.define([
  { tag: [tags.keyword, tags.operatorKeyword, tags.bool, tags.null], color: "var(--accent-text)" },
  { tag: [tags.string, tags.special(tags.string)], color: "var(--good)" },
  { tag: [tags.number, tags.atom], color: "var(--warn)" },
  { tag: tags.comment, color: "var(--ink-faint)", fontStyle: "italic" },
  { tag: [tags.function(tags.variableName), tags.propertyName], color: "var(--info)" },
  { tag: tags.invalid, color: "var(--bad)" },
]);

const EXPRESSIONS = new MatchDecorator({
  regexp: /\{\{.*?\}\}/g,
  decoration: Decoration.mark({ class: "cm-expression" }),
});

const markExpressions = ViewPlugin.fromClass(
  class {
    marks: DecorationSet;
    constructor(view: EditorView) {
      this.marks = EXPRESSIONS.createDeco(view);
    }
    update(update: ViewUpdate) {
      this.marks = EXPRESSIONS.updateDeco(update, this.marks);
    }
  },
  { decorations: (plugin) => plugin.marks },
);

const LOOK = EditorView.theme({
  "&": { backgroundColor: "var(--surface)", color: "var(--ink)", fontSize: "13px", borderRadius: "6px" },
  "&.cm-focused": { outline: "2px solid var(--accent)" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.5" },
  ".cm-content": { padding: "7px 2px", caretColor: "var(--ink)" },
  ".cm-gutters": { backgroundColor: "var(--sunken)", color: "var(--ink-faint)", border: "none" },
  ".cm-cursor": { borderLeftColor: "var(--ink)" },
  ".cm-placeholder": { color: "var(--ink-faint)" },
  "&.cm-focused .cm-selectionBackground, .cm-selectionBackground": { backgroundColor: "var(--accent-soft)" },
  ".cm-expression": {
    backgroundColor: "var(--accent-soft)",
    color: "var(--accent-text)",
    borderRadius: "3px",
  },
  ".cm-tooltip": { backgroundColor: "var(--raised)", border: "1px solid var(--line)", borderRadius: "6px" },
  ".cm-tooltip-autocomplete ul li[aria-selected]": {
    backgroundColor: "var(--accent-soft)",
    color: "var(--ink)",
  },
});

async function grammarOf(language: string): Promise<Extension> {
  if (language === "python") return (await import("@codemirror/lang-python")).python();
  if (language === "javascript" || language === "js")
    return (await import("@codemirror/lang-javascript")).javascript();
  if (language === "json") return (await import("@codemirror/lang-json")).json();
  return [];
}

/** A = in an empty field, or in place of all that stands there, begins an expression, as in other tools. */
const equalsBegins = EditorView.inputHandler.of((view, from, to, text) => {
  const length = view.state.doc.length;
  if (text !== "=" || to - from < length) return false;
  view.dispatch({
    changes: { from: 0, to: length, insert: EMPTY_EXPRESSION },
    selection: { anchor: 3 },
    userEvent: "input.type",
  });
  startCompletion(view);
  return true;
});

/** One line only: pasted line breaks become spaces. */
const oneLine = EditorState.transactionFilter.of((change) =>
  change.docChanged && change.newDoc.lines > 1
    ? [
        change,
        {
          changes: {
            from: 0,
            to: change.newDoc.length,
            insert: change.newDoc.toString().replace(/\s*\n\s*/g, " "),
          },
          sequential: true,
        },
      ]
    : change,
);

/**
 * A field for code and for text with {{ expressions }}.
 *
 * It lives in a shadow tree: there its style sheets are adopted ones, which the page's content policy allows.
 */
export default function CodeEditor(props: Props) {
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView | null>(null);
  const latest = useRef(props);
  latest.current = props;
  const { language, rows, label, placeholder } = props;

  useEffect(() => {
    const place = host.current;
    if (!place) return;
    const root = place.shadowRoot ?? place.attachShadow({ mode: "open" });
    let gone = false;
    // a dialog hears of the key before the editor, which does nothing any more where somebody else has taken it
    const forget = onEscape(place, () => view.current !== null && closeCompletion(view.current));
    void grammarOf(language).then((grammar) => {
      if (gone) return;
      const state = EditorState.create({
        doc: latest.current.value,
        extensions: [
          ...extensionsOf(latest, language, rows, label, placeholder),
          grammar,
          EditorView.updateListener.of((update) => {
            const own = !update.transactions.some((change) => change.annotation(FROM_OUTSIDE));
            if (update.docChanged && own) latest.current.onChange(update.state.doc.toString());
          }),
        ],
      });
      view.current = new EditorView({ state, root, parent: root });
      if (latest.current.focus) {
        view.current.focus();
        view.current.dispatch({ selection: { anchor: Math.min(3, view.current.state.doc.length) } });
      }
    });
    return () => {
      gone = true;
      forget();
      view.current?.destroy();
      view.current = null;
    };
  }, [language, rows, label, placeholder]);

  useEffect(() => {
    const editor = view.current;
    if (!editor || editor.state.doc.toString() === props.value) return;
    const changes = { from: 0, to: editor.state.doc.length, insert: props.value };
    editor.dispatch({ changes, annotations: FROM_OUTSIDE.of(true) });
  }, [props.value]);

  return <div ref={host} className="code-editor" data-invalid={props.invalid} data-lines={rows > 1} />;
}

function extensionsOf(
  latest: { current: Props },
  language: string,
  rows: number,
  label: string,
  placeholder: string,
): Extension[] {
  const lines = rows > 1;
  const isCode = language !== "";
  const source = completeExpression(() => latest.current.known());
  return [
    history(),
    keymap.of([...defaultKeymap, ...historyKeymap]),
    syntaxHighlighting(COLOURS),
    markExpressions,
    autocompletion({ icons: false }),
    EditorState.languageData.of(() => [{ autocomplete: source }]),
    EditorView.contentAttributes.of({ "aria-label": label, spellcheck: "false" }),
    LOOK,
    EditorView.theme({
      ".cm-scroller": { minHeight: lines ? `${Math.min(rows, 20) * 1.5}em` : "34px", maxHeight: "50vh" },
    }),
    placeholder ? placeholderOf(placeholder) : [],
    lines ? EditorView.lineWrapping : oneLine,
    isCode ? [] : equalsBegins,
    isCode && lines ? [lineNumbers(), indentOnInput(), closeBrackets()] : [],
  ];
}
