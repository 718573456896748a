import { useState } from "react";
import { useSession } from "@/app/session";
import type { ManualApprovalRequested } from "@/contract/contract.gen";
import { useT } from "@/i18n/words";
import { Button } from "@/ui/button";
import { TextArea } from "@/ui/field";
import { tell, tellError } from "@/ui/toasts";

interface Props {
  asked: Pick<ManualApprovalRequested, "job_id" | "node_id" | "approval_id" | "message"> & {
    expires_at?: string | null;
  };
  onDone?(): void;
}

/** A run asks a person: the question, room for a comment, and two answers. The answer is signed. */
export function ApprovalCard({ asked, onDone }: Props) {
  const t = useT();
  const engine = useSession((state) => state.engine);
  const [comment, setComment] = useState("");
  const [busy, setBusy] = useState<"approve_manual" | "reject_manual" | null>(null);
  async function answer(command: "approve_manual" | "reject_manual") {
    if (!engine) return;
    setBusy(command);
    try {
      const { job_id, node_id, approval_id } = asked;
      await engine.request(command, { job_id, node_id, approval_id, comment });
      tell(t(command === "approve_manual" ? "approval.approved" : "approval.rejected"), "good");
      onDone?.();
    } catch (error) {
      tellError(error);
    } finally {
      setBusy(null);
    }
  }
  return (
    <div className="stack">
      <p className="approval-message">{asked.message}</p>
      {asked.expires_at && (
        <p className="field-hint">
          {t("approval.until", { time: new Date(asked.expires_at).toLocaleString() })}
        </p>
      )}
      <TextArea
        label={t("approval.comment")}
        maxLength={2000}
        rows={2}
        value={comment}
        onChange={(event) => setComment(event.target.value)}
      />
      <div className="row">
        <Button
          kind="primary"
          busy={busy === "approve_manual"}
          disabled={busy !== null}
          onClick={() => void answer("approve_manual")}
        >
          {t("approval.approve")}
        </Button>
        <Button
          kind="danger"
          busy={busy === "reject_manual"}
          disabled={busy !== null}
          onClick={() => void answer("reject_manual")}
        >
          {t("approval.reject")}
        </Button>
      </div>
    </div>
  );
}
