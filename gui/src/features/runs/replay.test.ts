import { describe, expect, it } from "vitest";
import { replayOf, wantedOf } from "./replay";

describe("a replay", () => {
  it("begins with what the list shows", () => {
    expect(wantedOf("STOPPED", "Daily")).toMatchObject({ status: "STOPPED", preset: "Daily" });
    expect(wantedOf("RUNNING", "")).toMatchObject({ status: "FAILED", preset: "" });
  });

  it("asks the same of the engine when it looks and when it acts", () => {
    const wanted = { ...wantedOf("", "Daily"), hours: 1, error: " timeout ", from: "failed" as const };
    const now = 10_000_000;
    const looked = replayOf(wanted, now, true);
    expect(looked).toEqual({
      status: "FAILED",
      preset_name: "Daily",
      after: 6_400_000,
      before: 10_000_000,
      error_contains: "timeout",
      version: "newest",
      start_from: "failed",
      dry_run: true,
    });
    expect(replayOf(wanted, now, false)).toEqual({ ...looked, dry_run: false });
  });

  it("has no failed step to start from where runs went well, and no bound where all are meant", () => {
    const wanted = { ...wantedOf("SUCCEEDED", ""), hours: 0, from: "failed" as const };
    expect(replayOf(wanted, 1, true)).toMatchObject({ start_from: "start", after: null, preset_name: null });
  });
});
