import { FolderOpen, Plus, Variable, X } from "lucide-react";
import { type DragEvent, lazy, type ReactNode, Suspense, useEffect, useId, useState } from "react";
import { useT } from "@/i18n/words";
import { Button } from "@/ui/button";
import type { Known } from "./completion";
import { nextTimes } from "./cron";
import { type FieldSpec, isExpression, numberOf, textOfValue, valueOfText } from "./fields";
import { FilePicker } from "./file-picker";

const CodeEditor = lazy(() => import("./code-editor"));

export interface EditorProps {
  field: FieldSpec;
  value: unknown;
  problems: string[];
  known(): Known;
  onChange(value: unknown): void;
}

const BY_TEXT = new Set(["text", "textarea", "code", "file", "folder"]);

/** One setting: its label, the right input for its kind, and a switch to an expression. */
export function FieldEditor(props: EditorProps) {
  const { field, value, problems, onChange } = props;
  const t = useT();
  const id = useId();
  const [asked, setAsked] = useState(false);
  if (field.kind === "header") return <h3>{field.label}</h3>;
  const byText = BY_TEXT.has(field.kind);
  const expression = !byText && (asked || isExpression(value));
  const onDrop = (event: DragEvent) => {
    const text = event.dataTransfer.getData("text/plain");
    if (!isExpression(text) || (event.target as Element).closest(".code-editor")) return;
    event.preventDefault();
    onChange(text);
  };
  return (
    <fieldset
      className="field setting"
      aria-labelledby={`${id}-label`}
      onDrop={onDrop}
      onDragOver={(event) => event.preventDefault()}
    >
      <div className="setting-head">
        <label htmlFor={id} id={`${id}-label`}>
          {field.label}
          {field.required && <span className="setting-required"> *</span>}
        </label>
        {!byText && field.kind !== "pairs" && (
          <button
            type="button"
            className="setting-fx"
            aria-pressed={expression}
            aria-label={t("panel.expressionOf", { name: field.label })}
            title={t("panel.expression")}
            onClick={() => {
              setAsked(!expression);
              if (expression) onChange(field.initial ?? undefined);
            }}
          >
            <Variable size={14} aria-hidden="true" />
          </button>
        )}
      </div>
      {expression ? <TextInput {...props} rows={1} language="" /> : <Control {...props} id={id} />}
      {field.hint && (
        <span className="field-hint" id={`${id}-hint`}>
          {field.hint}
        </span>
      )}
      {problems.map((problem) => (
        <span key={problem} className="field-problem" role="alert">
          {problem}
        </span>
      ))}
    </fieldset>
  );
}

function Control(props: EditorProps & { id: string }): ReactNode {
  const { field } = props;
  if (field.kind === "number") return <NumberInput {...props} />;
  if (field.kind === "toggle") return <Toggle {...props} />;
  if (field.kind === "select") return <Select {...props} />;
  if (field.kind === "pairs") return <Pairs {...props} />;
  if (field.kind === "list") return <ListInput {...props} />;
  if (field.kind === "cron") return <Cron {...props} />;
  if (field.kind === "file" || field.kind === "folder") return <PathInput {...props} />;
  if (field.kind === "code")
    return <TextInput {...props} rows={field.rows} language={field.language || "json"} />;
  return <TextInput {...props} rows={field.kind === "textarea" ? field.rows : 1} language="" />;
}

function TextInput({
  field,
  value,
  known,
  problems,
  onChange,
  rows,
  language,
}: EditorProps & { rows: number; language: string }) {
  const text = textOfValue(value);
  return (
    <Suspense fallback={<output className="input setting-wait">{text}</output>}>
      <CodeEditor
        label={field.label}
        value={text}
        language={language}
        placeholder={field.placeholder}
        rows={rows}
        invalid={problems.length > 0}
        known={known}
        onChange={(next) => onChange(valueOfText(next, field))}
      />
    </Suspense>
  );
}

function NumberInput({ field, value, id, onChange }: EditorProps & { id: string }) {
  const [text, setText] = useState(textOfValue(value));
  useEffect(() => setText((now) => (Number(now) === value ? now : textOfValue(value))), [value]);
  const wrong = text !== "" && numberOf(text, field) === null;
  return (
    <input
      id={id}
      className="input"
      inputMode={field.whole ? "numeric" : "decimal"}
      aria-invalid={wrong}
      aria-describedby={`${id}-hint`}
      value={text}
      onChange={(event) => {
        setText(event.target.value);
        const next = numberOf(event.target.value, field);
        if (next !== null) onChange(next);
        else if (event.target.value === "") onChange(undefined);
      }}
    />
  );
}

function Toggle({ value, id, onChange }: EditorProps & { id: string }) {
  return (
    <input
      id={id}
      type="checkbox"
      className="setting-switch"
      aria-describedby={`${id}-hint`}
      checked={value === true}
      onChange={(event) => onChange(event.target.checked)}
    />
  );
}

function Select({ field, value, id, onChange }: EditorProps & { id: string }) {
  const text = textOfValue(value);
  const known = field.options.some((option) => option.value === text);
  return (
    <select
      id={id}
      className="input"
      aria-describedby={`${id}-hint`}
      value={text}
      onChange={(event) => onChange(event.target.value)}
    >
      {!known && <option value={text}>{text}</option>}
      {field.options.map((option) => (
        <option key={option.value} value={option.value}>
          {option.label}
        </option>
      ))}
    </select>
  );
}

function PathInput(props: EditorProps & { id: string }) {
  const t = useT();
  const [open, setOpen] = useState(false);
  const { field } = props;
  return (
    <div className="setting-path">
      <TextInput {...props} rows={1} language="" />
      <Button
        size="icon"
        aria-label={t("panel.browseFor", { name: field.label })}
        onClick={() => setOpen(true)}
      >
        <FolderOpen size={16} aria-hidden="true" />
      </Button>
      {open && (
        <FilePicker
          folders={field.kind === "folder"}
          onClose={() => setOpen(false)}
          onPick={(path) => {
            props.onChange(path);
            setOpen(false);
          }}
        />
      )}
    </div>
  );
}

function Cron(props: EditorProps & { id: string }) {
  const t = useT();
  const text = textOfValue(props.value);
  const times = nextTimes(text, 3, new Date());
  return (
    <>
      <input
        id={props.id}
        className="input"
        placeholder="*/15 * * * *"
        aria-invalid={text !== "" && times === null}
        aria-describedby={`${props.id}-hint`}
        value={text}
        onChange={(event) => props.onChange(event.target.value)}
      />
      <span className="field-hint">
        {times === null
          ? t("panel.cronWrong")
          : t("panel.cronNext", { times: times.map((time) => time.toLocaleString()).join(" · ") })}
      </span>
    </>
  );
}

interface Pair {
  name: string;
  value: unknown;
  type?: string;
}

const TYPES = ["auto", "text", "number", "boolean", "json"];

function Pairs(props: EditorProps) {
  const t = useT();
  const { field, value, onChange } = props;
  const pairs = Array.isArray(value) ? (value as Pair[]) : [];
  const change = (place: number, part: Partial<Pair>) =>
    onChange(pairs.map((pair, at) => (at === place ? { ...pair, ...part } : pair)));
  return (
    <div className="setting-rows">
      {pairs.map((pair, place) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: rows have no names of their own
        <div key={place} className="setting-pair">
          <input
            className="input"
            aria-label={t("panel.nameOf", { place: place + 1, name: field.label })}
            placeholder={t("panel.name")}
            value={pair.name ?? ""}
            onChange={(event) => change(place, { name: event.target.value })}
          />
          <TextInput
            {...props}
            field={{ ...field, label: t("panel.valueOf", { place: place + 1, name: field.label }) }}
            value={pair.value}
            rows={1}
            language=""
            onChange={(next) => change(place, { value: next ?? "" })}
          />
          <select
            className="input"
            aria-label={t("panel.typeOf", { place: place + 1, name: field.label })}
            value={pair.type ?? "auto"}
            onChange={(event) => change(place, { type: event.target.value })}
          >
            {[...new Set([...TYPES, pair.type ?? "auto"])].map((type) => (
              <option key={type}>{type}</option>
            ))}
          </select>
          <Button
            kind="quiet"
            size="icon"
            aria-label={t("panel.removeRow", { place: place + 1 })}
            onClick={() => onChange(pairs.filter((_, at) => at !== place))}
          >
            <X size={14} aria-hidden="true" />
          </Button>
        </div>
      ))}
      <Button size="small" onClick={() => onChange([...pairs, { name: "", value: "" }])}>
        <Plus size={14} aria-hidden="true" />
        {t("panel.addRow")}
      </Button>
    </div>
  );
}

function ListInput(props: EditorProps) {
  const t = useT();
  const { field, value, onChange } = props;
  const items = Array.isArray(value) ? value : [];
  return (
    <div className="setting-rows">
      {items.map((item, place) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: items have no names of their own
        <div key={place} className="setting-path">
          <TextInput
            {...props}
            field={{ ...field, label: t("panel.valueOf", { place: place + 1, name: field.label }) }}
            value={item}
            rows={1}
            language=""
            onChange={(next) => onChange(items.map((old, at) => (at === place ? (next ?? "") : old)))}
          />
          <Button
            kind="quiet"
            size="icon"
            aria-label={t("panel.removeRow", { place: place + 1 })}
            onClick={() => onChange(items.filter((_, at) => at !== place))}
          >
            <X size={14} aria-hidden="true" />
          </Button>
        </div>
      ))}
      <Button size="small" onClick={() => onChange([...items, ""])}>
        <Plus size={14} aria-hidden="true" />
        {t("panel.addRow")}
      </Button>
    </div>
  );
}
