/** What a value is made of: its fields with their types, as far as people need to find their way. */

export interface SchemaField {
  /** How an expression reaches it from the value: name, list[0].price, "odd name".x. */
  path: string;
  name: string;
  type: string;
  depth: number;
  sample: string;
}

const MOST_FIELDS = 300;
const MOST_DEPTH = 6;
const PLAIN = /^[A-Za-z_][A-Za-z0-9_]*$/;

export const typeOf = (value: unknown): string =>
  value === null ? "null" : Array.isArray(value) ? `list (${value.length})` : typeof value;

const step = (name: string): string => (PLAIN.test(name) ? name : JSON.stringify(name));

/** List the fields of a value, the first item standing for a list. */
export function schemaOf(value: unknown, root = "data"): SchemaField[] {
  const found: SchemaField[] = [];
  visit(value, root, root, 0);
  return found;

  function visit(item: unknown, path: string, name: string, depth: number): void {
    if (found.length >= MOST_FIELDS || depth > MOST_DEPTH) return;
    found.push({ path, name, type: typeOf(item), depth, sample: sampleOf(item) });
    if (Array.isArray(item)) {
      if (item.length) visit(item[0], `${path}[0]`, "[0]", depth + 1);
    } else if (typeof item === "object" && item !== null) {
      for (const [key, member] of Object.entries(item)) visit(member, `${path}.${step(key)}`, key, depth + 1);
    }
  }
}

function sampleOf(value: unknown): string {
  if (typeof value === "object" && value !== null) return "";
  const text = typeof value === "string" ? value : String(value);
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}

/** The rows and columns of a value: a list of objects is a table, anything else a table of its members. */
export function tableOf(value: unknown): { columns: string[]; rows: unknown[][]; left: number } {
  const most = 200;
  const isRecord = (item: unknown): item is Record<string, unknown> =>
    typeof item === "object" && item !== null && !Array.isArray(item);
  if (Array.isArray(value)) {
    const shown = value.slice(0, most);
    if (!shown.every(isRecord)) {
      return {
        columns: ["#", "value"],
        rows: shown.map((item, place) => [place, item]),
        left: value.length - shown.length,
      };
    }
    const columns = [...new Set(shown.flatMap((item) => Object.keys(item)))].slice(0, 30);
    return {
      columns,
      rows: shown.map((item) => columns.map((name) => item[name])),
      left: value.length - shown.length,
    };
  }
  if (isRecord(value)) {
    const entries = Object.entries(value);
    return {
      columns: ["name", "value"],
      rows: entries.slice(0, most),
      left: Math.max(0, entries.length - most),
    };
  }
  return { columns: ["value"], rows: [[value]], left: 0 };
}
