// @vitest-environment jsdom
import { describe, expect, it } from "vitest";
import type { RunSummary } from "@/contract/contract.gen";
import { t } from "@/i18n/words";
import { COMMANDS } from "./commands";
import { everything, type Findable, matching } from "./finds";

const run = (job_id: string, preset_name: string | null, status: string): RunSummary =>
  ({ job_id, preset_name, status, mode: "EXECUTE", started_at: 0 }) as RunSummary;
const node = (id: string, name: string, module_id: string) => ({
  id,
  name,
  module_id,
  x: 0,
  y: 0,
  config_values: {},
});
const there: Findable = {
  commands: COMMANDS.filter(({ keyOnly }) => !keyOnly),
  nodes: [node("a", "Fetch prices", "http_request"), node("b", "Simulate rain", "delay")],
  presets: ["Nightly report"],
  runs: [
    run("4f2a-1", "Nightly report", "FAILED"),
    run("77b0-2", null, "SUCCEEDED"),
    run("9", "Other", "FAILED"),
  ],
  visits: false,
};
const ago = () => "5 min ago";
const all = everything(there, t, ago);
const ids = (text: string) => matching(all, text).map(({ id }) => id);

describe("the command bar", () => {
  it.each([
    ["simulate", ["simulate", "step:b"], "a command by its name, before a step that is named so"],
    ["fetch", ["step:a"], "a step of the canvas by its name"],
    ["http_request", ["step:a"], "a step by its component"],
    ["nightly", ["preset:Nightly report", "run:4f2a-1"], "a preset, and its runs"],
    ["nightly failed", ["run:4f2a-1"], "a run by its preset and its status"],
    ["4f2a", ["run:4f2a-1"], "a run by its id"],
    ["unsaved succ", ["run:77b0-2"], "a run of no preset"],
    ["billing", ["page:/billing"], "a screen"],
    ["dark", ["theme:dark"], "a setting"],
    ["deutsch", ["language:de"], "a language by its own name"],
  ])("%s: %o (%s)", (text, expected) => {
    expect(ids(text)).toEqual(expected);
  });

  it("lists what can be done when nothing is typed, and neither steps nor runs", () => {
    const kinds = new Set(matching(all, " ").map(({ deed }) => deed.kind));
    expect(kinds).toEqual(new Set(["command", "page", "theme", "language"]));
    expect(ids("").some((id) => /^(run|step|preset):/.test(id))).toBe(false);
  });

  it("offers a visitor neither other screens nor settings", () => {
    const kinds = everything({ ...there, visits: true }, t, ago).map(({ id }) => id.split(":")[0]);
    expect(kinds).toEqual(expect.arrayContaining(["step", "run", "simulate"]));
    for (const kind of ["page", "theme", "language", "setting"]) expect(kinds).not.toContain(kind);
  });

  it("leads to where it says", () => {
    const deed = (text: string) => matching(all, text)[0]?.deed;
    expect(deed("4f2a")).toEqual({ kind: "page", path: "/runs/4f2a-1" });
    expect(deed("nightly")).toEqual({ kind: "page", path: "/designer/Nightly%20report" });
    expect(deed("dark")).toEqual({ kind: "theme", theme: "dark" });
    expect(deed("no such thing")).toBeUndefined();
  });
});
