import { Payloads } from "@/features/run/payloads";
import { useWireData } from "@/features/run/wire-data";
import { useT } from "@/i18n/words";
import { Dialog } from "@/ui/dialog";
import { HeldNotice } from "../debug/held";
import { nodeOf } from "../document/edits";
import { useWorkflow } from "../document/store";
import { useView } from "../view";
import { useRun } from "./store";

/** The data that went along a connection, now or in a past run. */
export function PeekSheet() {
  const t = useT();
  const { peek, show } = useView();
  const jobId = useRun((state) => state.jobId);
  const count = useRun((state) => (peek ? (state.run?.passed[peek] ?? 0) : 0));
  const workflow = useWorkflow();
  const hit = useRun((state) => (peek ? (state.run?.held[peek]?.seq ?? 0) : 0));
  // what waits at a breakpoint has not been counted yet
  const data = useWireData(jobId, peek, count + hit);
  const wire = workflow.connections.find((item) => item.id === peek);
  if (!wire) return null;
  const name = (id: string) => nodeOf(workflow, id)?.name ?? id;
  return (
    <Dialog
      open
      onClose={() => show({ peek: null })}
      title={t("designer.peekTitle", { from: name(wire.source), to: name(wire.target) })}
    >
      <HeldNotice wireId={wire.id} onDone={() => show({ peek: null })} />
      <Payloads data={data} />
    </Dialog>
  );
}
