/** Doing many runs again: what is asked of the engine. */

import type { ReplayRuns } from "@/contract/contract.gen";

export type ReplayStatus = NonNullable<ReplayRuns["status"]>;
export const REPLAYED: ReplayStatus[] = ["FAILED", "STOPPED", "SUCCEEDED"];
/** Hours back; 0 for all. */
export const SPANS = [1, 24, 168, 0];

export interface Wanted {
  status: ReplayStatus;
  preset: string;
  hours: number;
  error: string;
  version: "newest" | "same";
  from: "start" | "failed";
}

/** What the filters of the list suggest. */
export function wantedOf(status: string, preset: string): Wanted {
  const known = REPLAYED.find((one) => one === status) ?? "FAILED";
  return { status: known, preset, hours: 24, error: "", version: "newest", from: "start" };
}

/** The command; ``now`` is when people looked, so that what they saw is what is done. */
export function replayOf(wanted: Wanted, now: number, dryRun: boolean) {
  return {
    status: wanted.status,
    preset_name: wanted.preset || null,
    after: wanted.hours ? now - wanted.hours * 3_600_000 : null,
    before: now,
    error_contains: wanted.error.trim() || null,
    version: wanted.version,
    start_from: wanted.status === "SUCCEEDED" ? ("start" as const) : wanted.from,
    dry_run: dryRun,
  };
}
