import { Pin, PinOff } from "lucide-react";
import { type FormEvent, useState } from "react";
import { DataShapes } from "@/features/run/data-view";
import { useT } from "@/i18n/words";
import { Notice } from "@/ui/badge";
import { Button } from "@/ui/button";
import { SelectField, TextArea } from "@/ui/field";
import type { WorkflowNode } from "../document/workflow";
import { portsOf, useCatalog } from "../palette/catalog";
import { useRun } from "../run/store";
import { type Outputs, pin, pinResults, unpin, useAids } from "./aids";

const icon = { size: 14, "aria-hidden": true } as const;

/** What a step gives in runs of the designer: pinned data in its place, or the offer to pin some. */
export function PinBox({ node }: { node: WorkflowNode }) {
  const t = useT();
  const pinned = useAids((state) => state.pins[node.id]);
  const ran = useRun((state) => state.run?.nodes[node.id] !== undefined);
  const [editing, setEditing] = useState(false);
  const done = () => setEditing(false);
  if (editing) return <PinForm node={node} outputs={pinned?.outputs ?? {}} onDone={done} />;
  if (!pinned)
    return (
      <div className="row">
        {ran && (
          <Button size="small" onClick={() => void pinResults([node.id])}>
            <Pin {...icon} />
            {t("pin.take")}
          </Button>
        )}
        <Button size="small" kind="quiet" onClick={() => setEditing(true)}>
          {t("pin.byHand")}
        </Button>
      </div>
    );
  return (
    <>
      <Notice tone="info">
        <span className="grow">{t("pin.held")}</span>
      </Notice>
      <div className="row">
        <Button size="small" onClick={() => setEditing(true)}>
          {t("pin.edit")}
        </Button>
        <Button size="small" onClick={() => void unpin([node.id])}>
          <PinOff {...icon} />
          {t("pin.undo")}
        </Button>
      </div>
      <DataShapes value={pinned.outputs} />
    </>
  );
}

function PinForm({ node, outputs, onDone }: { node: WorkflowNode; outputs: Outputs; onDone(): void }) {
  const t = useT();
  const component = useCatalog((state) => state.byId[node.module_id]);
  const ports = portsOf(node, component).outputs;
  const [port, setPort] = useState(Object.keys(outputs)[0] ?? ports[0]?.name ?? "success");
  const [text, setText] = useState(() => JSON.stringify(dataOf(outputs[port]), null, 2));
  const [problem, setProblem] = useState("");
  function submit(event: FormEvent) {
    event.preventDefault();
    try {
      void pin(node.id, { [port]: { data: JSON.parse(text) as unknown } });
      onDone();
    } catch {
      setProblem(t("pin.noJson"));
    }
  }
  return (
    <form className="stack" onSubmit={submit}>
      <SelectField
        label={t("pin.port")}
        value={port}
        options={ports.map((item) => ({ value: item.name, label: item.display_name }))}
        onChange={setPort}
      />
      <TextArea
        label={t("pin.data")}
        className="input pin-text"
        rows={10}
        spellCheck={false}
        value={text}
        problem={problem}
        onChange={(event) => setText(event.target.value)}
      />
      <div className="row">
        <Button size="small" kind="primary" type="submit">
          {t("command.save")}
        </Button>
        <Button size="small" onClick={onDone}>
          {t("designer.cancel")}
        </Button>
      </div>
    </form>
  );
}

/** The data of a pinned payload; without one an empty object to begin with. */
function dataOf(payload: unknown): unknown {
  if (payload === undefined) return {};
  const given = payload as { data?: unknown } | null;
  return typeof given === "object" && given !== null && "data" in given ? given.data : payload;
}
