/** Saving and loading presets; another person's newer version is never overwritten without asking. */

import { navigate } from "wouter/use-browser-location";
import { create } from "zustand";
import { FloworkError } from "@/api/errors";
import { useSession } from "@/app/session";
import { signPreset } from "@/crypto/preset";
import { t } from "@/i18n/words";
import { tell, tellError } from "@/ui/toasts";
import { useDocument, workflowNow } from "../document/store";
import { readWorkflow, type Workflow } from "../document/workflow";
import { adopt } from "../together/adopt";
import { noteClashes, useCompany } from "../together/company";
import { useView } from "../view";

/** Someone saved a newer version since the edit began. */
export interface Conflict {
  name: string;
  version: number;
  author: string | null;
  timestamp: string | null;
}

interface SaveState {
  busy: boolean;
  conflict: Conflict | null;
}

export const useSave = create<SaveState>(() => ({ busy: false, conflict: null }));

/** Save under the name it has, else ask for one; true when it was saved. */
export async function save(): Promise<boolean> {
  const { preset, version } = useDocument.getState();
  if (preset === null) {
    useView.getState().show({ sheet: "save" });
    return false;
  }
  if (useCompany.getState().clashes.length) {
    useCompany.setState({ asking: true });
    return false;
  }
  return saveAs(preset, version ?? 0);
}

/** Save what is not saved, then ask about the publication; an unnamed workflow is given a name first. */
export async function publish(): Promise<void> {
  const { preset, history, saved } = useDocument.getState();
  const isSaved = preset !== null && history.present === saved;
  if (isSaved || (await save())) useView.getState().show({ sheet: "publish" });
}

/** Save as a version after `basedOn`; 0 for a preset that is new. */
export async function saveAs(name: string, basedOn: number): Promise<boolean> {
  const { engine, signer: own, visitor } = useSession.getState();
  const signer = own ?? visitor;
  if (!engine || !signer || useSave.getState().busy) return false;
  const workflow = workflowNow();
  useSave.setState({ busy: true });
  try {
    const signature = await signPreset(signer, workflow);
    const { presets } = await engine.request("save_preset", {
      name,
      workflow_data: workflow,
      signature,
      based_on: basedOn,
    });
    const found = presets.find((item) => item.name === name) ?? presets.find((item) => item.id === name);
    useDocument
      .getState()
      .markSaved(workflow, { preset: found?.name ?? name, version: found?.version ?? basedOn + 1 });
    useSave.setState({ conflict: null });
    if (!visitor) navigate(`/designer/${encodeURIComponent(found?.name ?? name)}`, { replace: true });
    tell(t("designer.saved", { name, version: found?.version ?? basedOn + 1 }), "good");
    return true;
  } catch (error) {
    if (error instanceof FloworkError && error.code === "CONFLICT")
      useSave.setState({ conflict: conflictOf(name, error) });
    else tellError(error);
    return false;
  } finally {
    useSave.setState({ busy: false });
  }
}

function conflictOf(name: string, error: FloworkError): Conflict {
  const details = (error.details ?? {}) as { version?: number; author_id?: string; timestamp?: string };
  return {
    name,
    version: details.version ?? 0,
    author: details.author_id ?? null,
    timestamp: details.timestamp ?? null,
  };
}

export async function fetchPreset(
  name: string,
  version?: number,
): Promise<{ workflow: Workflow; version: number; name: string }> {
  const { engine } = useSession.getState();
  if (!engine) throw new FloworkError("ENGINE_UNAVAILABLE", "Choose an engine first.");
  const loaded = await engine.request("load_preset", { name, ...(version ? { version } : {}) });
  return { workflow: readWorkflow(loaded.workflow_data), version: loaded.version, name: loaded.name };
}

/** Take the newer version, or put one's own changes on top of it, or replace it. */
export async function settle(how: "reload" | "merge" | "overwrite"): Promise<void> {
  const { conflict } = useSave.getState();
  if (!conflict) return;
  try {
    if (how === "overwrite") {
      await saveAs(conflict.name, conflict.version);
      return;
    }
    const theirs = await fetchPreset(conflict.name);
    if (how === "reload") {
      useDocument.getState().edit(() => theirs.workflow);
      useDocument.getState().markSaved(theirs.workflow, { preset: theirs.name, version: theirs.version });
    } else {
      const clashes = await adopt(theirs, (version) => fetchPreset(conflict.name, version));
      noteClashes(clashes, { author: conflict.author, version: theirs.version });
      tell(t("designer.merged", { count: clashes.length }), clashes.length ? "info" : "good");
    }
    useSave.setState({ conflict: null });
  } catch (error) {
    tellError(error);
  }
}
