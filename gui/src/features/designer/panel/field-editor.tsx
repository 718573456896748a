import { FolderOpen, Variable } from "lucide-react";
import { type DragEvent, type ReactNode, useEffect, useId, useState } from "react";
import { useSession } from "@/app/session";
import { useT } from "@/i18n/words";
import { Button } from "@/ui/button";
import { nextTimes } from "./cron";
import { EMPTY_EXPRESSION, isExpression, numberOf, textOfValue } from "./fields";
import { FilePicker } from "./file-picker";
import { ListInput, Pairs } from "./row-editors";
import { type EditorProps, TextInput } from "./text-input";

const BY_TEXT = new Set(["text", "textarea", "code", "file", "folder"]);

/** One setting: its label, the right input for its kind, and a switch to an expression. */
export function FieldEditor(props: EditorProps) {
  const { field, value, problems, onChange } = props;
  const t = useT();
  const id = useId();
  const [asked, setAsked] = useState(false);
  const [typed, setTyped] = useState(false);
  // a = in an empty field begins an expression
  const begin = () => {
    setTyped(true);
    onChange(EMPTY_EXPRESSION);
  };
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
      {expression ? (
        <TextInput {...props} rows={1} language="" focus={typed} />
      ) : (
        <Control {...props} id={id} onBegin={begin} />
      )}
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

function Control(props: EditorProps & { id: string; onBegin(): void }): ReactNode {
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

function NumberInput({ field, value, id, onBegin, onChange }: EditorProps & { id: string; onBegin(): void }) {
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
        if (event.target.value === "=") return onBegin();
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
  // the engine shows its files to nobody who came by a share link
  if (useSession((state) => state.visitor !== null)) return <TextInput {...props} rows={1} language="" />;
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
