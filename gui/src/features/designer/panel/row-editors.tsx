import { Plus, X } from "lucide-react";
import { useT } from "@/i18n/words";
import { Button } from "@/ui/button";
import { type EditorProps, TextInput } from "./text-input";

interface Pair {
  name: string;
  value: unknown;
  type?: string;
}

const TYPES = ["auto", "text", "number", "boolean", "json"];

/** Names with values and their types. */
export function Pairs(props: EditorProps) {
  const t = useT();
  const { field, value, onChange } = props;
  const pairs = Array.isArray(value) ? (value as Pair[]) : [];
  const change = (place: number, part: Partial<Pair>) =>
    onChange(pairs.map((pair, at) => (at === place ? { ...pair, ...part } : pair)));
  return (
    <div className="setting-rows">
      {pairs.map((pair, place) => (
        // Rows have no names of their own.
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

/** A list of texts. */
export function ListInput(props: EditorProps) {
  const t = useT();
  const { field, value, onChange } = props;
  const items = Array.isArray(value) ? value : [];
  return (
    <div className="setting-rows">
      {items.map((item, place) => (
        // Items have no names of their own.
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
