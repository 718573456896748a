import type { RunStatus } from "@/contract/contract.gen";
import { useT, type Word } from "@/i18n/words";
import { Badge, type Tone } from "@/ui/badge";

export const RUN_STATUSES: RunStatus[] = ["RUNNING", "PAUSED", "SUCCEEDED", "FAILED", "STOPPED"];
const TONES: Record<RunStatus, Tone> = {
  RUNNING: "info",
  PAUSED: "warn",
  SUCCEEDED: "good",
  FAILED: "bad",
  STOPPED: "plain",
};

export const wordOfStatus = (status: RunStatus): Word => `runs.${status}`;

export function RunStatusBadge({ status }: { status: RunStatus }) {
  const t = useT();
  return <Badge tone={TONES[status]}>{t(wordOfStatus(status))}</Badge>;
}
