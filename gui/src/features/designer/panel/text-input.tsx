import { lazy, Suspense } from "react";
import type { Known } from "./completion";
import { type FieldSpec, textOfValue, valueOfText } from "./fields";
import { Preview } from "./preview";

const CodeEditor = lazy(() => import("./code-editor"));

export interface EditorProps {
  field: FieldSpec;
  value: unknown;
  problems: string[];
  known(): Known;
  onChange(value: unknown): void;
}

/** Text or code with expressions, and what they give; the editor is loaded when it is first needed. */
export function TextInput({
  field,
  value,
  known,
  problems,
  onChange,
  rows,
  language,
  focus = false,
}: EditorProps & { rows: number; language: string; focus?: boolean }) {
  const text = textOfValue(value);
  return (
    <div className="text-input">
      <Suspense fallback={<output className="input setting-wait">{text}</output>}>
        <CodeEditor
          label={field.label}
          value={text}
          language={language}
          placeholder={field.placeholder}
          rows={rows}
          invalid={problems.length > 0}
          known={known}
          focus={focus}
          onChange={(next) => onChange(valueOfText(next, field))}
        />
      </Suspense>
      <Preview field={field.id} value={value} />
    </div>
  );
}
