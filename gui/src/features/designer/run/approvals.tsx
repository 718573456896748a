import { ApprovalCard } from "@/features/run/approval-card";
import { Dialog } from "@/ui/dialog";
import { useRun } from "./store";

/** A step of the run waits for a person; closing the dialog leaves the question open. */
export function Approvals() {
  const { run, closed, close } = useRun();
  const asked = run?.approvals.find((item) => !closed.has(`approval ${item.approval_id}`));
  if (!asked) return null;
  const done = () => close(`approval ${asked.approval_id}`);
  return (
    <Dialog open onClose={done} title={asked.title}>
      <ApprovalCard key={asked.approval_id} asked={asked} onDone={done} />
    </Dialog>
  );
}
