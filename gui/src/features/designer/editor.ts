/** Brings the designer to what the address names, keeps a draft of what is not saved, and warns before it is lost. */

import { useEffect } from "react";
import { useSearch } from "wouter";
import { useSession } from "@/app/session";
import { tellError } from "@/ui/toasts";
import { dropDraft, keepDraft, readDraft } from "./document/draft";
import { useDocument } from "./document/store";
import { NO_WORKFLOW } from "./document/workflow";
import { checkWhileEditing, noteProblems } from "./run/problems";
import { useRun } from "./run/store";
import { fetchPreset } from "./save/save";

const QUIET_MS = 400;

/** Load the preset of the address, or the draft; follow the run that the address or the draft names. */
export function useEditor(preset: string | undefined): void {
  const engine = useSession((state) => state.engine);
  const wantedRun = new URLSearchParams(useSearch()).get("run");
  useEffect(() => {
    if (!engine) return;
    let left = false;
    void open(preset, wantedRun, engine.engineId, () => left);
    const stopChecking = checkWhileEditing();
    const stopKeeping = keepDrafts(engine.engineId);
    return () => {
      left = true;
      stopChecking();
      stopKeeping();
      useRun.getState().detach();
      noteProblems([]);
    };
  }, [engine, preset, wantedRun]);

  useEffect(() => {
    const warn = (event: BeforeUnloadEvent) => {
      const { history, saved } = useDocument.getState();
      if (history.present !== saved && !draftKept) event.preventDefault();
    };
    addEventListener("beforeunload", warn);
    return () => removeEventListener("beforeunload", warn);
  }, []);
}

let draftKept = true;

async function open(
  name: string | undefined,
  wantedRun: string | null,
  engineId: string,
  gone: () => boolean,
) {
  const { load } = useDocument.getState();
  const found = readDraft();
  const draft = found?.engineId === engineId && found.preset === (name ?? null) ? found : null;
  const jobId = wantedRun ?? draft?.jobId ?? null;
  try {
    if (draft?.changed || name === undefined) {
      const workflow = draft?.workflow ?? NO_WORKFLOW;
      load(
        workflow,
        { preset: name ?? null, version: draft?.version ?? null },
        draft?.changed ? NO_WORKFLOW : workflow,
      );
    } else {
      const preset = await fetchPreset(name);
      if (gone()) return;
      load(preset.workflow, { preset: preset.name, version: preset.version });
    }
    if (jobId) useRun.getState().attach(jobId);
  } catch (error) {
    if (!gone()) tellError(error);
  }
}

/** Keep the workflow and its run in this browser, a moment after each change. */
function keepDrafts(engineId: string): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const keep = () => {
    clearTimeout(timer);
    timer = undefined;
    const { history, saved, preset, version } = useDocument.getState();
    const { jobId } = useRun.getState();
    const changed = history.present !== saved;
    if (!changed && jobId === null && history.present.nodes.length === 0) dropDraft();
    else draftKept = keepDraft({ engineId, preset, version, workflow: history.present, changed, jobId });
  };
  const plan = () => {
    timer ??= setTimeout(keep, QUIET_MS);
  };
  const stops = [
    useDocument.subscribe(plan),
    useRun.subscribe((now, before) => now.jobId !== before.jobId && plan()),
  ];
  addEventListener("pagehide", keep);
  return () => {
    if (timer !== undefined) keep();
    removeEventListener("pagehide", keep);
    for (const stop of stops) stop();
  };
}
