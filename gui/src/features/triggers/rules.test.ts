import { describe, expect, it } from "vitest";
import type { TriggerItem } from "@/contract/contract.gen";
import { alarmsOf, commandOf, configOf, draftOf, hookPath, previewOf } from "./rules";

const RULE: TriggerItem = {
  id: "r-1",
  preset_name: "Daily / report",
  kind: "webhook",
  name: "Shop",
  enabled: false,
  config: { auth: "hmac", allow_get: false, wait_seconds: 5, rate_per_second: 3, secret: "" },
  secret_set: true,
  policy: { kind: "queue", limit: 4 },
  owner: "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266",
  mode: "SIMULATE",
  payload: { from: "shop" },
  node_id: null,
  next_run_time: null,
  last_due: null,
  blocked: "The preset is gone.",
  running: 0,
  waiting: 0,
  counts: { missed: 2, denied: 0, failed: 1 },
};

describe("a draft of a rule", () => {
  it("keeps what the dialog does not show, and sends no secret that was not typed", () => {
    const draft = draftOf(RULE);
    const command = commandOf({ ...draft, name: " Shop 2 ", wait: 0 }, RULE);
    expect(command).toEqual({
      rule_id: "r-1",
      preset_name: "Daily / report",
      kind: "webhook",
      name: "Shop 2",
      enabled: false,
      config: { auth: "hmac", allow_get: false, wait_seconds: 0, rate_per_second: 3 },
      policy: { kind: "queue", limit: 4, seconds: 0 },
      mode: "SIMULATE",
      payload: { from: "shop" },
    });
    expect(commandOf({ ...draft, secret: "s3" }, RULE).config?.secret).toBe("s3");
  });

  it("takes nothing of the old kind along when the kind changes", () => {
    const changed = { ...draftOf(RULE), kind: "event_bus" as const, eventName: "paid.*" };
    expect(commandOf(changed, RULE).config).toEqual({ event_name_to_listen: "paid.*" });
  });

  it("of a schedule has exactly one of its three ways", () => {
    const draft = {
      ...draftOf(null),
      cron: "0 9 * * *",
      zone: "Asia/Jakarta",
      interval: 60,
      at: "2027-01-01",
    };
    const ways = (when: "cron" | "interval" | "once") => {
      const { cron_string, interval_seconds, at } = configOf({ ...draft, when });
      return [cron_string, interval_seconds, at];
    };
    expect(ways("cron")).toEqual(["0 9 * * *", 0, ""]);
    expect(ways("interval")).toEqual(["", 60, ""]);
    expect(ways("once")).toEqual(["", 0, "2027-01-01"]);
    expect(draftOf({ ...RULE, kind: "cron", config: { interval_seconds: 60 } }).when).toBe("interval");
  });

  it("reads lists as people write them", () => {
    const draft = {
      ...draftOf(null),
      kind: "run_finished" as const,
      presets: "One, , Two",
      statuses: "FAILED",
    };
    expect(configOf(draft)).toEqual({ preset_filter: ["One", "Two"], status_filter: ["FAILED"] });
  });
});

describe("a schedule's preview", () => {
  it("goes by the clock of its zone", () => {
    const now = new Date("2026-03-01T20:30:00Z"); // 03:30 of the next day in Jakarta
    const [first] = previewOf("0 9 * * *", "Asia/Jakarta", 1, now) ?? [];
    expect([first?.getDate(), first?.getHours()]).toEqual([2, 9]);
  });

  it("is not there for what is no schedule or no zone", () => {
    expect(previewOf("whenever", "UTC", 1, new Date())).toBeNull();
    expect(previewOf("0 9 * * *", "Mars/Base", 1, new Date())).toBeNull();
  });
});

it("tells what somebody should look at", () => {
  expect(alarmsOf(RULE)).toEqual(["failed", "missed"]);
  expect(alarmsOf({ ...RULE, enabled: true, counts: {} })).toEqual(["blocked"]);
});

it("names a webhook's path by preset and rule", () => {
  expect(hookPath(RULE)).toBe("/webhook/Daily%20%2F%20report/r-1");
});
