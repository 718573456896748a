/** The form of a component's settings, derived from its manifest. */

import type { ManifestInfo } from "@/contract/contract.gen";

export type FieldKind =
  | "text"
  | "number"
  | "toggle"
  | "select"
  | "textarea"
  | "code"
  | "pairs"
  | "list"
  | "file"
  | "folder"
  | "cron"
  | "header";

export interface FieldSpec {
  id: string;
  kind: FieldKind;
  label: string;
  hint: string;
  required: boolean;
  initial: unknown;
  options: { label: string; value: string }[];
  placeholder: string;
  rows: number;
  language: string;
  secret: boolean;
  whole: boolean;
  min: number | undefined;
  max: number | undefined;
}

const KINDS: Record<string, FieldKind> = {
  string: "text",
  text: "text",
  integer: "number",
  number: "number",
  float: "number",
  boolean: "toggle",
  toggle: "toggle",
  enum: "select",
  select: "select",
  textarea: "textarea",
  code: "code",
  list: "list",
  dynamic_key_value_editor: "pairs",
  file: "file",
  filepath: "file",
  file_picker: "file",
  folderpath: "folder",
  folder_picker: "folder",
  cron_editor: "cron",
  header: "header",
};

/** Settings that hold a path on the engine's machine, by the names components use. */
const FILE_NAME = /^(path|archive|target|body_file|save_to|local_path|.*_file)$/;
const FOLDER_NAME = /^(folder|.*_folder)$/;

type Given = Record<string, unknown>;

/** List the fields of a form: the published form where there is one, else the plain properties. */
export function fieldsOf(
  manifest: Pick<ManifestInfo, "properties" | "ui_schema" | "config_schema" | "category">,
): FieldSpec[] {
  const source: Given[] = manifest.ui_schema?.length ? manifest.ui_schema : manifest.properties;
  const plain = new Map<unknown, Given>(manifest.properties.map((field) => [field.id, field]));
  const schemas = (manifest.config_schema.properties ?? {}) as Record<string, Given>;
  return source.map((given) =>
    fieldOf({ ...plain.get(given.id), ...given }, schemas[String(given.id)] ?? {}, manifest.category),
  );
}

function fieldOf(given: Given, schema: Given, category: string): FieldSpec {
  const id = String(given.id);
  const text = (name: string): string => (typeof given[name] === "string" ? (given[name] as string) : "");
  const options = Array.isArray(given.options) ? (given.options as FieldSpec["options"]) : [];
  const limits = limitsOf(schema);
  return {
    id,
    kind: kindOf(id, given, options, category),
    label: text("label") || id,
    hint: text("description"),
    required: given.required === true,
    initial: given.default ?? null,
    options: options.map((option) => ({ label: String(option.label), value: String(option.value) })),
    placeholder: text("placeholder"),
    rows: typeof given.rows === "number" ? given.rows : 6,
    language: text("language"),
    secret: given.secret === true,
    whole: given.type === "integer",
    ...limits,
  };
}

function kindOf(id: string, given: Given, options: unknown[], category: string): FieldKind {
  const kind = KINDS[String(given.component ?? "")] ?? KINDS[String(given.type ?? "")] ?? "text";
  if (kind === "select" && options.length === 0) return "text";
  if (kind !== "text") return kind;
  if (category === "Files" || /_(file|folder)$|^local_path$|^save_to$/.test(id)) {
    if (FOLDER_NAME.test(id)) return "folder";
    if (FILE_NAME.test(id)) return "file";
  }
  return "text";
}

function limitsOf(schema: Given): Pick<FieldSpec, "min" | "max"> {
  const parts = [schema, ...((schema.anyOf as Given[] | undefined) ?? [])];
  const first = (name: string) =>
    parts.map((part) => part[name]).find((value) => typeof value === "number") as number | undefined;
  return { min: first("minimum") ?? first("exclusiveMinimum"), max: first("maximum") };
}

/** An expression in which nothing stands yet. */
export const EMPTY_EXPRESSION = "{{  }}";
export const isExpression = (value: unknown): boolean => typeof value === "string" && value.includes("{{");

/** A value as a text field shows it. */
export function textOfValue(value: unknown): string {
  if (value === undefined || value === null) return "";
  return typeof value === "string" ? value : JSON.stringify(value, null, 1);
}

/** A text as the setting keeps it; an emptied field goes back to having no value. */
export const valueOfText = (text: string, field: Pick<FieldSpec, "initial">): unknown =>
  text === "" && field.initial === null ? undefined : text;

/** Read a number field: the number, the text where it is an expression, null where it is neither. */
export function numberOf(
  text: string,
  field: Pick<FieldSpec, "whole" | "min" | "max">,
): number | string | null {
  if (isExpression(text)) return text;
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value)) return null;
  if (field.whole && !Number.isInteger(value)) return null;
  if (field.min !== undefined && value < field.min) return null;
  if (field.max !== undefined && value > field.max) return null;
  return value;
}
