import { useEffect, useState } from "react";
import type { NodeState } from "@/contract/contract.gen";
import { useT, type Word } from "@/i18n/words";
import { type NodeRun, type RunState, spanText } from "./run-state";

export interface Bar {
  id: string;
  name: string;
  status: NodeRun["status"];
  /** Unix milliseconds; null for a step that has not begun. */
  from: number | null;
  to: number | null;
  attempt: number;
}

/** The steps of a run with their times: what the engine listed, brought up to date by the events since. */
export function barsOf(nodes: readonly NodeState[], run: RunState | null): Bar[] {
  const bars = nodes.map((node): Bar => {
    const live = run?.nodes[node.node_id];
    const over = live && node.finished_at && !live.endedAt ? null : live;
    return {
      id: node.node_id,
      name: node.name || node.module_id,
      status: over?.status ?? node.status,
      from: over?.startedAt ?? node.started_at ?? null,
      to: over ? over.endedAt : (node.finished_at ?? null),
      attempt: Math.max(over?.attempt ?? 1, node.attempts),
    };
  });
  return bars.sort(
    (one, other) => (one.from ?? Number.POSITIVE_INFINITY) - (other.from ?? Number.POSITIVE_INFINITY),
  );
}

interface Props {
  bars: Bar[];
  start: number;
  end: number | null;
  chosen: string | null;
  onChoose(id: string): void;
}

/** When each step ran, from left to right. */
export function Timeline({ bars, start, end, chosen, onChoose }: Props) {
  const t = useT();
  const now = useNow(end === null);
  const last = Math.max(end ?? now, ...bars.map((bar) => bar.to ?? 0), start + 1);
  const whole = last - start;
  const part = (ms: number) => `${(100 * Math.max(0, ms)) / whole}%`;
  return (
    <ol className="timeline" aria-label={t("run.timeline")}>
      {bars.map((bar) => (
        <li key={bar.id} data-chosen={bar.id === chosen}>
          <button type="button" aria-pressed={bar.id === chosen} onClick={() => onChoose(bar.id)}>
            <span className="timeline-name">{bar.name}</span>
            <span className="timeline-track">
              {bar.from !== null && (
                <span
                  className="timeline-bar"
                  data-status={bar.status}
                  style={{ left: part(bar.from - start), width: part((bar.to ?? last) - bar.from) }}
                />
              )}
            </span>
            <span className="timeline-time">
              {t(`status.${bar.status}` as Word)}
              {bar.from !== null && ` · ${spanText((bar.to ?? last) - bar.from)}`}
              {bar.attempt > 1 && ` · ${t("run.attempt", { count: bar.attempt })}`}
            </span>
          </button>
        </li>
      ))}
    </ol>
  );
}

function useNow(live: boolean): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    if (!live) return;
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, [live]);
  return now;
}
