import { X } from "lucide-react";
import { LogView } from "@/features/run/log-view";
import { useT } from "@/i18n/words";
import { Button } from "@/ui/button";
import { nodeOf } from "../document/edits";
import { useDocument, useWorkflow } from "../document/store";
import { useView } from "../view";
import { useRun } from "./store";
import "./run.css";

/** The log of the run below the canvas. */
export function LogPanel() {
  const t = useT();
  const workflow = useWorkflow();
  const run = useRun((state) => state.run);
  const show = useView((state) => state.show);
  return (
    <section className="log-panel" aria-label={t("command.log")}>
      <Button
        kind="quiet"
        size="icon"
        className="button log-close"
        aria-label={t("designer.close")}
        onClick={() => show({ log: false })}
      >
        <X size={16} aria-hidden="true" />
      </Button>
      <LogView
        lines={run?.log ?? []}
        dropped={run?.dropped ?? 0}
        nameOf={(id) => nodeOf(workflow, id)?.name ?? id}
        onNode={(id) => useDocument.getState().choose([id])}
      />
    </section>
  );
}
