/** Trigger rules as the screen writes and shows them. */

import type { SaveTrigger, TriggerItem } from "@/contract/contract.gen";
import { nextTimes } from "@/features/designer/panel/cron";

export type TriggerKind = SaveTrigger["kind"];
export const KINDS: TriggerKind[] = [
  "cron",
  "webhook",
  "file_system",
  "process",
  "event_bus",
  "run_finished",
  "manual",
];
export type When = "cron" | "interval" | "once";

/** What the dialog holds; only what the kind needs is sent. */
export interface Draft {
  preset: string;
  kind: TriggerKind;
  name: string;
  when: When;
  cron: string;
  zone: string;
  interval: number;
  at: string;
  missed: string;
  auth: string;
  secret: string;
  allowGet: boolean;
  wait: number;
  path: string;
  pattern: string;
  recursive: boolean;
  process: string;
  event: string;
  eventName: string;
  presets: string;
  statuses: string;
  policy: string;
  seconds: number;
}

const text = (value: unknown, other = ""): string => (typeof value === "string" && value ? value : other);
const number = (value: unknown, other: number): number => (typeof value === "number" ? value : other);
const list = (value: unknown): string => (Array.isArray(value) ? value.join(", ") : "");
const words = (value: string): string[] =>
  value
    .split(",")
    .map((part) => part.trim())
    .filter(Boolean);

export const zoneHere = (): string => Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";

/** A rule as a draft; a new one where there is none. */
export function draftOf(rule: TriggerItem | null, preset = ""): Draft {
  const config = rule?.config ?? {};
  return {
    preset: rule?.preset_name ?? preset,
    kind: (rule?.kind ?? "cron") as TriggerKind,
    name: rule?.name ?? "",
    when: config.at ? "once" : number(config.interval_seconds, 0) > 0 ? "interval" : "cron",
    cron: text(config.cron_string, rule ? "" : "0 9 * * MON-FRI"),
    zone: text(config.timezone, rule ? "UTC" : zoneHere()),
    interval: number(config.interval_seconds, 0) || 3600,
    at: text(config.at),
    missed: text(config.missed, "run_once"),
    auth: text(config.auth, "secret"),
    secret: "",
    allowGet: config.allow_get === true,
    wait: number(config.wait_seconds, 0),
    path: text(config.path_to_watch),
    pattern: text(config.pattern),
    recursive: config.recursive === true,
    process: text(config.process_name),
    event: text(config.event, "started"),
    eventName: text(config.event_name_to_listen),
    presets: list(config.preset_filter),
    statuses: list(config.status_filter),
    policy: rule?.policy.kind ?? "parallel",
    seconds: number(rule?.policy.seconds, 0) || 5,
  };
}

/** The members of a rule's settings that the draft's kind has. */
export function configOf(draft: Draft): Record<string, unknown> {
  switch (draft.kind) {
    case "cron":
      return {
        cron_string: draft.when === "cron" ? draft.cron.trim() : "",
        interval_seconds: draft.when === "interval" ? draft.interval : 0,
        at: draft.when === "once" ? draft.at.trim() : "",
        timezone: draft.zone.trim() || "UTC",
        missed: draft.missed,
      };
    case "webhook":
      return {
        auth: draft.auth,
        allow_get: draft.allowGet,
        wait_seconds: draft.wait,
        // left out, the engine keeps the present one
        ...(draft.secret ? { secret: draft.secret } : {}),
      };
    case "file_system":
      return { path_to_watch: draft.path, pattern: draft.pattern, recursive: draft.recursive };
    case "process":
      return { process_name: draft.process, event: draft.event };
    case "event_bus":
      return { event_name_to_listen: draft.eventName };
    case "run_finished":
      return { preset_filter: words(draft.presets), status_filter: words(draft.statuses) };
    default:
      return {};
  }
}

/** The command that saves a draft; what the screen does not show of a rule stays as it was. */
export function commandOf(draft: Draft, rule: TriggerItem | null): Omit<SaveTrigger, "request_id"> {
  const kept = rule && rule.kind === draft.kind ? rule.config : {};
  const { secret: _hidden, ...others } = kept as Record<string, unknown>;
  const debounces = draft.policy === "debounce";
  return {
    rule_id: rule?.id ?? null,
    preset_name: draft.preset,
    kind: draft.kind,
    name: draft.name.trim(),
    enabled: rule?.enabled ?? true,
    config: { ...others, ...configOf(draft) },
    policy: {
      ...rule?.policy,
      kind: draft.policy as NonNullable<TriggerItem["policy"]["kind"]>,
      seconds: debounces ? draft.seconds : 0,
    },
    mode: rule?.mode ?? "EXECUTE",
    payload: rule?.payload ?? null,
  };
}

/** The wall clock of a time zone as a local time; null where there is no such zone. */
function wallClock(zone: string, now: Date): Date | null {
  try {
    const shown = new Intl.DateTimeFormat("sv-SE", {
      timeZone: zone,
      dateStyle: "short",
      timeStyle: "medium",
    }).format(now);
    return new Date(shown.replace(" ", "T"));
  } catch {
    return null;
  }
}

/** The next times of a five-field schedule by the clock of its zone; null where that cannot be told here. */
export function previewOf(cron: string, zone: string, count: number, now: Date): Date[] | null {
  const there = wallClock(zone, now);
  return there && nextTimes(cron, count, there);
}

/** Where a webhook is called, below the address of the engine's HTTP port. */
export const hookPath = (rule: Pick<TriggerItem, "id" | "preset_name">): string =>
  `/webhook/${encodeURIComponent(rule.preset_name)}/${encodeURIComponent(rule.id)}`;

/** Why somebody should look at a rule, gravest first; nothing where all is well. */
export function alarmsOf({ counts, enabled, blocked }: TriggerItem): ("blocked" | keyof typeof counts)[] {
  const found: ("blocked" | keyof typeof counts)[] = enabled && blocked ? ["blocked"] : [];
  for (const name of ["failed", "missed", "refused", "denied", "dropped"] as const) {
    if ((counts[name] ?? 0) > 0) found.push(name);
  }
  return found;
}
