import { useReactFlow } from "@xyflow/react";
import { useT } from "@/i18n/words";
import { Badge, Notice, type Tone } from "@/ui/badge";
import { Button } from "@/ui/button";
import { Dialog } from "@/ui/dialog";
import { useDocument } from "../document/store";
import type { Brought, BroughtStep, Level } from "./brought";
import { useBrought } from "./put";
import "./report.css";

const TONES: Record<Level, Tone> = { good: "good", check: "warn", unknown: "bad" };
const ORDER: Level[] = ["unknown", "check", "good"];

/** What became of a workflow of another tool, step by step: what is ours now, what to look at, what is missing. */
export function BroughtSheet() {
  const t = useT();
  const { shown, show } = useBrought();
  const flow = useReactFlow();
  if (!shown) return null;
  const title = t("bring.title", { tool: shown.tool });
  const close = () => {
    show(null);
    const nodes = shown.workflow.nodes.map(({ id }) => ({ id }));
    void flow.fitView({ nodes, maxZoom: 1, padding: 0.2, duration: 200 });
  };
  return (
    <Dialog open onClose={close} title={title}>
      <Report brought={shown} onClose={close} onOpen={() => show(null)} />
    </Dialog>
  );
}

function Report({ brought, onClose, onOpen }: { brought: Brought; onClose(): void; onOpen(): void }) {
  const t = useT();
  const flow = useReactFlow();
  const { steps, remarks } = brought;
  const sorted = [...steps].sort((one, other) => ORDER.indexOf(one.level) - ORDER.indexOf(other.level));
  const open = (id: string) => {
    onOpen();
    useDocument.getState().choose([id]);
    void flow.fitView({ nodes: [{ id }], maxZoom: 1, duration: 200 });
  };
  return (
    <div className="stack">
      <div className="row">
        {ORDER.map((level) => (
          <Badge key={level} tone={TONES[level]}>
            {t(`level.${level}`)}: {steps.filter((step) => step.level === level).length}
          </Badge>
        ))}
      </div>
      {remarks.map(({ word, values }) => (
        <Notice key={word} tone="info">
          {t(word, values)}
        </Notice>
      ))}
      {/* A scrolling region must be reachable by keyboard. */}
      <ul className="bring-steps" tabIndex={0} aria-label={t("bring.steps")}>
        {sorted.map((step, place) => (
          <Step key={step.id ?? `${place}`} step={step} onOpen={open} />
        ))}
      </ul>
      <p className="field-hint">{t("bring.undo")}</p>
      <div className="dialog-actions">
        <Button kind="primary" onClick={onClose}>
          {t("designer.close")}
        </Button>
      </div>
    </div>
  );
}

function Step({ step, onOpen }: { step: BroughtStep; onOpen(id: string): void }) {
  const t = useT();
  const { id, name, was, level, remarks } = step;
  return (
    <li>
      <div className="bring-head">
        {id ? (
          <button type="button" className="bring-name" onClick={() => onOpen(id)}>
            {name}
          </button>
        ) : (
          <strong>{name}</strong>
        )}
        <code>{was}</code>
        <Badge tone={TONES[level]}>{t(`level.${level}`)}</Badge>
      </div>
      {remarks.map((remark, place) => (
        // Remarks have no names of their own.
        <p key={place}>{t(remark.word, remark.values)}</p>
      ))}
    </li>
  );
}
