/** Brings the designer to what the address names, keeps a draft of what is not saved, and warns before it is lost. */

import { useEffect } from "react";
import { useSearch } from "wouter";
import { useEngineOnline } from "@/app/live";
import { useSession } from "@/app/session";
import { tellError } from "@/ui/toasts";
import { carryAids, keepAids } from "./debug/aids";
import { type Draft, dropDraft, keepDraft, readDraft } from "./document/draft";
import { useDocument } from "./document/store";
import { NO_WORKFLOW } from "./document/workflow";
import { checkWhileEditing, noteProblems } from "./run/problems";
import { useRun } from "./run/store";
import { fetchPreset } from "./save/save";

const QUIET_MS = 400;

/** Load the preset of the address, or the draft; follow the run that the address or the draft names. */
export function useEditor(preset: string | undefined): void {
  const engine = useSession((state) => state.engine);
  const online = useEngineOnline();
  const wantedRun = new URLSearchParams(useSearch()).get("run");
  useEffect(() => {
    if (!engine) return;
    let left = false;
    void open(preset, wantedRun, engine.engineId, () => left);
    const stopChecking = checkWhileEditing();
    const stopKeeping = keepDrafts(engine.engineId);
    const stopAids = keepAids(engine.engineId, preset ?? null);
    return () => {
      left = true;
      stopChecking();
      stopKeeping();
      stopAids();
      useRun.getState().detach();
      noteProblems([]);
    };
  }, [engine, preset, wantedRun]);

  // what could not be opened is opened when the engine is back
  useEffect(() => {
    if (!engine || !online || !vain) return;
    let left = false;
    void open(preset, wantedRun, engine.engineId, () => left);
    return () => {
      left = true;
    };
  }, [engine, online, preset, wantedRun]);

  useEffect(() => {
    const warn = (event: BeforeUnloadEvent) => {
      if (isChanged() && !draftKept) event.preventDefault();
    };
    addEventListener("beforeunload", warn);
    return () => removeEventListener("beforeunload", warn);
  }, []);
}

let draftKept = true;
/** Whether the preset of the address could not be opened. */
let vain = false;
/** Which engine's workflow the document holds; null while it holds none that may be kept. */
let loadedFor: string | null = null;

async function open(
  name: string | undefined,
  wantedRun: string | null,
  engineId: string,
  gone: () => boolean,
) {
  const preset = name ?? null;
  const draft = readDraft(engineId, preset);
  vain = false;
  const isHere = loadedFor === engineId && useDocument.getState().preset === preset;
  try {
    if (!isHere) await bring(preset, draft, engineId, gone);
    else if (preset !== null && !isChanged()) await refresh(preset, gone);
    const jobId = wantedRun ?? draft?.jobId ?? null;
    if (jobId && !gone()) useRun.getState().attach(jobId);
  } catch (error) {
    vain = !gone();
    if (!gone()) tellError(error);
  }
}

const isChanged = (): boolean => {
  const { history, saved } = useDocument.getState();
  return history.present !== saved;
};

async function bring(preset: string | null, draft: Draft | null, engineId: string, gone: () => boolean) {
  const { load } = useDocument.getState();
  loadedFor = null;
  load(NO_WORKFLOW, { preset: null, version: null });
  if (draft?.changed || preset === null) {
    const workflow = draft?.workflow ?? NO_WORKFLOW;
    load(workflow, { preset, version: draft?.version ?? null }, draft?.changed ? NO_WORKFLOW : workflow);
  } else {
    const found = await fetchPreset(preset);
    if (gone()) return;
    load(found.workflow, { preset: found.name, version: found.version });
  }
  loadedFor = engineId;
}

/** Show the newest version of a preset that is open without changes. */
async function refresh(preset: string, gone: () => boolean) {
  const found = await fetchPreset(preset);
  const { load, version } = useDocument.getState();
  if (!gone() && !isChanged() && found.version !== version) {
    load(found.workflow, { preset: found.name, version: found.version });
  }
}

/** Keep the workflow and its run in this browser, a moment after each change. */
function keepDrafts(engineId: string): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const keep = () => {
    clearTimeout(timer);
    timer = undefined;
    if (loadedFor !== engineId) return;
    const { history, preset, version } = useDocument.getState();
    const { jobId } = useRun.getState();
    const changed = isChanged();
    if (!changed && jobId === null) dropDraft(engineId, preset);
    else draftKept = keepDraft(engineId, preset, { version, workflow: history.present, changed, jobId });
  };
  const plan = () => {
    timer ??= setTimeout(keep, QUIET_MS);
  };
  const stops = [
    useDocument.subscribe((now, before) => {
      // What was a workflow without a name is a preset now: nothing stays behind under no name.
      if (now.preset !== before.preset && before.preset === null && loadedFor === engineId) {
        dropDraft(engineId, null);
        if (now.preset !== null) carryAids(engineId, now.preset);
      }
      if (now.history !== before.history || now.saved !== before.saved) plan();
    }),
    useRun.subscribe((now, before) => now.jobId !== before.jobId && now.jobId !== null && plan()),
  ];
  addEventListener("pagehide", keep);
  return () => {
    if (timer !== undefined) keep();
    removeEventListener("pagehide", keep);
    for (const stop of stops) stop();
  };
}
