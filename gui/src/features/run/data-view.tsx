import { Copy } from "lucide-react";
import { Tabs } from "radix-ui";
import { useT } from "@/i18n/words";
import { Button } from "@/ui/button";
import { tell } from "@/ui/toasts";
import { schemaOf, tableOf } from "./schema";
import "./data-view.css";

const LONGEST = 200_000;

/** Data as table, JSON or schema; the fields of the schema can be dragged into a setting. */
export function DataShapes({ value, root }: { value: unknown; root?: string | undefined }) {
  const t = useT();
  const json = JSON.stringify(value, null, 2) ?? "";
  return (
    <Tabs.Root className="data-view" defaultValue={root ? "schema" : "json"}>
      <div className="data-view-head">
        <Tabs.List aria-label={t("data.shape")}>
          <Tabs.Trigger value="schema">{t("data.schema")}</Tabs.Trigger>
          <Tabs.Trigger value="table">{t("data.table")}</Tabs.Trigger>
          <Tabs.Trigger value="json">JSON</Tabs.Trigger>
        </Tabs.List>
        <Button
          kind="quiet"
          size="icon"
          aria-label={t("data.copy")}
          onClick={() => copy(json, t("data.copied"))}
        >
          <Copy size={14} aria-hidden="true" />
        </Button>
      </div>
      <Tabs.Content value="schema">
        <Schema value={value} root={root} />
      </Tabs.Content>
      <Tabs.Content value="table">
        <Table value={value} />
      </Tabs.Content>
      <Tabs.Content value="json">
        {/* A scrolling region must be reachable by keyboard. */}
        <pre tabIndex={0}>
          {json.slice(0, LONGEST)}
          {json.length > LONGEST && `\n${t("data.more", { count: json.length - LONGEST })}`}
        </pre>
      </Tabs.Content>
    </Tabs.Root>
  );
}

function copy(text: string, done: string) {
  navigator.clipboard?.writeText(text).then(
    () => tell(done, "good"),
    () => undefined,
  );
}

function Schema({ value, root }: { value: unknown; root?: string | undefined }) {
  const t = useT();
  return (
    <>
      {root && <p className="field-hint">{t("data.dragHint")}</p>}
      <ul className="data-schema">
        {schemaOf(value, root ?? "data").map((field) => (
          <li
            key={field.path}
            data-depth={field.depth}
            draggable={root !== undefined}
            onDragStart={(event) => {
              event.dataTransfer.setData("text/plain", `{{ ${field.path} }}`);
              event.dataTransfer.effectAllowed = "copy";
            }}
          >
            <code>{field.name}</code>
            <span className="data-type">{field.type}</span>
            <span className="data-sample">{field.sample}</span>
            {root && (
              <button
                type="button"
                aria-label={t("data.copyField", { name: field.path })}
                onClick={() => copy(`{{ ${field.path} }}`, t("data.copied"))}
              >
                <Copy size={12} aria-hidden="true" />
              </button>
            )}
          </li>
        ))}
      </ul>
    </>
  );
}

function Table({ value }: { value: unknown }) {
  const t = useT();
  const { columns, rows, left } = tableOf(value);
  return (
    // A scrolling region must be reachable by keyboard.
    <div className="data-table" tabIndex={0}>
      <table className="table">
        <thead>
          <tr>
            {columns.map((name) => (
              <th key={name}>{name}</th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, place) => (
            // Rows of data have no names.
            <tr key={place}>
              {row.map((cell, column) => (
                <td key={columns[column]}>{typeof cell === "string" ? cell : JSON.stringify(cell)}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {left > 0 && <p className="field-hint">{t("data.moreRows", { count: left })}</p>}
    </div>
  );
}
