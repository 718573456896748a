/** What the command bar finds: commands, steps, presets, runs, screens and settings. */

import type { RunSummary } from "@/contract/contract.gen";
import { wordOfStatus } from "@/features/runs/run-status";
import { LANGUAGES, type Language, type Translate, type Word } from "@/i18n/words";
import type { Theme } from "@/app/theme";
import type { WorkflowNode } from "../document/workflow";
import type { Choice } from "../palette/chooser";
import type { Command } from "./commands";
import { shownKeys } from "./keyboard";

/** What choosing it does. */
export type Deed =
  | { kind: "command"; id: string }
  | { kind: "step"; id: string }
  | { kind: "page"; path: string }
  | { kind: "theme"; theme: Theme }
  | { kind: "language"; language: Language };

export interface Found extends Choice {
  deed: Deed;
  /** More words by which it is found. */
  words?: string;
  /** Only listed when something was typed. */
  onAsking?: boolean;
}

/** What there is to be found. */
export interface Findable {
  commands: readonly Command[];
  nodes: readonly WorkflowNode[];
  presets: readonly string[];
  /** The newest ones. */
  runs: readonly RunSummary[];
  /** Whether only this one page may be seen. */
  visits: boolean;
}

/** All of it, in the order in which it is listed. */
export function everything(there: Findable, t: Translate, ago: (at: number) => string): Found[] {
  return [
    ...commandsFound(there.commands, t),
    ...(there.visits ? [] : [...pagesFound(t), ...settingsFound(t)]),
    ...stepsFound(there.nodes, t),
    ...presetsFound(there.presets, t),
    ...runsFound(there.runs, t, ago),
  ];
}

const MOST = 100;

/** What fits a text, best first: where every word stands in the label, or at least beside it. */
export function matching(all: readonly Found[], text: string): Found[] {
  const wanted = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (wanted.length === 0) return all.filter(({ onAsking }) => !onAsking).slice(0, MOST);
  const scored = all.flatMap((found) => {
    const label = found.label.toLowerCase();
    const rest = `${found.about ?? ""} ${found.words ?? ""}`.toLowerCase();
    const points = wanted.map((word) =>
      label.startsWith(word) ? 3 : label.includes(word) ? 2 : rest.includes(word) ? 1 : 0,
    );
    return points.includes(0) ? [] : [{ found, points: points.reduce<number>((sum, one) => sum + one, 0) }];
  });
  const sorted = scored.sort((one, other) => other.points - one.points);
  return sorted.map(({ found }) => found).slice(0, MOST);
}

const commandsFound = (commands: readonly Command[], t: Translate): Found[] =>
  commands.map(({ id, word, keys }) => ({
    id,
    label: t(word),
    keys: keys.map(shownKeys)[0],
    deed: { kind: "command", id },
  }));

const stepsFound = (nodes: readonly WorkflowNode[], t: Translate): Found[] =>
  nodes.map(({ id, name, module_id }) => ({
    id: `step:${id}`,
    label: name,
    about: t("designer.goToStep"),
    words: module_id,
    onAsking: true,
    deed: { kind: "step", id },
  }));

const PAGES: [string, Word][] = [
  ["/dashboard", "nav.dashboard"],
  ["/runs", "nav.runs"],
  ["/presets", "nav.presets"],
  ["/marketplace", "nav.marketplace"],
  ["/triggers", "nav.triggers"],
  ["/variables", "nav.variables"],
  ["/engines", "nav.engines"],
  ["/billing", "nav.billing"],
  ["/audit", "nav.audit"],
  ["/settings", "nav.settings"],
];

const pagesFound = (t: Translate): Found[] =>
  PAGES.map(([path, word]) => ({
    id: `page:${path}`,
    label: t(word),
    about: t("shell.places"),
    deed: { kind: "page", path },
  }));

const THEMES: [Theme, Word][] = [
  ["system", "settings.themeSystem"],
  ["light", "settings.themeLight"],
  ["dark", "settings.themeDark"],
];
const SETTINGS: [string, Word, Word][] = [
  ["engine", "settings.engine", "settings.engineText"],
  ["identity", "settings.identity", "settings.identityText"],
];

function settingsFound(t: Translate): Found[] {
  const about = t("nav.settings");
  const themes = THEMES.map(([theme, word]): Found => {
    const label = `${t("settings.theme")}: ${t(word)}`;
    return { id: `theme:${theme}`, label, about, deed: { kind: "theme", theme } };
  });
  const languages = Object.entries(LANGUAGES).map(([language, name]): Found => {
    const label = `${t("settings.language")}: ${name}`;
    const deed = { kind: "language", language: language as Language } as const;
    return { id: `language:${language}`, label, about, deed };
  });
  const others = SETTINGS.map(([id, word, text]): Found => {
    const deed = { kind: "page", path: "/settings" } as const;
    return { id: `setting:${id}`, label: t(word), about, words: t(text), deed };
  });
  return [...themes, ...languages, ...others];
}

const presetsFound = (names: readonly string[], t: Translate): Found[] =>
  names.map((name) => ({
    id: `preset:${name}`,
    label: name,
    about: t("runs.preset"),
    onAsking: true,
    deed: { kind: "page", path: `/designer/${encodeURIComponent(name)}` },
  }));

/** The newest runs by the name of their preset, their status and their id. */
const runsFound = (runs: readonly RunSummary[], t: Translate, ago: (at: number) => string): Found[] =>
  runs.map(({ job_id, preset_name, status, started_at }) => ({
    id: `run:${job_id}`,
    label: preset_name ?? t("runs.unsaved"),
    about: `${t("runs.run")} · ${t(wordOfStatus(status))} · ${ago(started_at)} · ${job_id.slice(0, 8)}`,
    words: `${job_id} ${status}`,
    onAsking: true,
    deed: { kind: "page", path: `/runs/${encodeURIComponent(job_id)}` },
  }));
