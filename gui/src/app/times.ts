/** Times and durations as people read them, in the chosen language. */

import { useWords } from "@/i18n/words";

const UNITS: [Intl.RelativeTimeFormatUnit, number][] = [
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
  ["second", 1000],
];

export function agoOf(at: number, now: number, language: string): string {
  const [unit, size] = UNITS.find(([, one]) => Math.abs(now - at) >= one) ?? ["second", 1000];
  return new Intl.RelativeTimeFormat(language, { numeric: "auto", style: "short" }).format(
    Math.round((at - now) / size),
    unit,
  );
}

export const dateOf = (at: number, language: string): string =>
  new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "medium" }).format(at);

/** 0.4 s, 12 s, 3 min 20 s, 2 h 5 min. */
export function durationOf(ms: number): string {
  const seconds = Math.max(ms, 0) / 1000;
  if (seconds < 10) return `${seconds.toFixed(seconds < 1 ? 2 : 1)} s`;
  if (seconds < 60) return `${Math.round(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${Math.round(seconds % 60)} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

export interface Clock {
  ago(at: number): string;
  date(at: number): string;
}

/** Times in the chosen language, as of now. */
export function useTimes(): Clock {
  const language = useWords((state) => state.language);
  return { ago: (at) => agoOf(at, Date.now(), language), date: (at) => dateOf(at, language) };
}
