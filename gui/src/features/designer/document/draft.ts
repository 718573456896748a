/** What is not saved yet, kept in this browser for each preset, so that neither a reload nor a detour loses it. */

import { readWorkflow, type Workflow } from "./workflow";

const PLACE = "flowork.designer.draft/";
const MOST = 20;

export interface Draft {
  version: number | null;
  workflow: Workflow;
  changed: boolean;
  /** The run that the canvas showed last. */
  jobId: string | null;
}

interface Kept extends Draft {
  at: number;
}

const placeOf = (engineId: string, preset: string | null): string => `${PLACE}${engineId}/${preset ?? ""}`;

/** Keep a draft; false where the browser has no room for it. */
export function keepDraft(engineId: string, preset: string | null, draft: Draft): boolean {
  try {
    const kept: Kept = { ...draft, at: Date.now() };
    localStorage.setItem(placeOf(engineId, preset), JSON.stringify(kept));
    dropOldest();
    return true;
  } catch {
    return false;
  }
}

export function readDraft(engineId: string, preset: string | null): Draft | null {
  const found = read(placeOf(engineId, preset));
  try {
    return found ? { ...found, workflow: readWorkflow(found.workflow) } : null;
  } catch {
    return null;
  }
}

export const dropDraft = (engineId: string, preset: string | null): void =>
  localStorage.removeItem(placeOf(engineId, preset));

function read(place: string): Kept | null {
  try {
    return JSON.parse(localStorage.getItem(place) ?? "null") as Kept | null;
  } catch {
    return null;
  }
}

/** Of many drafts the oldest go, but never one that holds changes. */
function dropOldest(): void {
  const places = Object.keys(localStorage).filter((key) => key.startsWith(PLACE));
  if (places.length <= MOST) return;
  const spare = places.flatMap((place) => {
    const found = read(place);
    return found?.changed ? [] : [{ place, at: found?.at ?? 0 }];
  });
  spare.sort((one, other) => one.at - other.at);
  for (const { place } of spare.slice(0, places.length - MOST)) localStorage.removeItem(place);
}
