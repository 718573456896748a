/** Feeds a run's events into a state, a screenful at a time: a busy run does not draw the page for every event. */

import type { EngineClient } from "@/engine/client";
import type { RunFrame } from "@/engine/frames";
import { applyFrames, type RunState, startRun } from "./run-state";

const TOGETHER_MS = 60;

/** Follow a run from its first event; returns how to stop. */
export function followRun(
  engine: Pick<EngineClient, "follow">,
  jobId: string,
  onState: (state: RunState) => void,
): () => void {
  let state = startRun(jobId);
  let waiting: RunFrame[] = [];
  let timer: ReturnType<typeof setTimeout> | undefined;
  const flush = () => {
    timer = undefined;
    const frames = waiting;
    waiting = [];
    const next = applyFrames(state, frames);
    if (next !== state) onState(next);
    state = next;
  };
  const stop = engine.follow(jobId, (frame) => {
    waiting.push(frame);
    timer ??= setTimeout(flush, TOGETHER_MS);
  });
  return () => {
    clearTimeout(timer);
    stop();
  };
}
