/** The unsaved state of the designer, kept in this browser so that a reload loses nothing. */

import { readWorkflow, type Workflow } from "./workflow";

const PLACE = "flowork.designer.draft";

export interface Draft {
  engineId: string;
  preset: string | null;
  version: number | null;
  workflow: Workflow;
  changed: boolean;
  jobId: string | null;
}

export function keepDraft(draft: Draft): boolean {
  try {
    localStorage.setItem(PLACE, JSON.stringify(draft));
    return true;
  } catch {
    return false;
  }
}

export function readDraft(): Draft | null {
  try {
    const found = JSON.parse(localStorage.getItem(PLACE) ?? "null") as Draft | null;
    return found ? { ...found, workflow: readWorkflow(found.workflow) } : null;
  } catch {
    return null;
  }
}

export const dropDraft = (): void => localStorage.removeItem(PLACE);
