/** A visit by a share link: where it leads, the workflow behind it, and the runs that the visitor starts. */

import { create } from "zustand";
import { FloworkError } from "@/api/errors";
import { RestClient } from "@/api/rest";
import { useSession } from "@/app/session";
import type { ResolvedLink } from "@/contract/contract.gen";
import { useDocument, workflowNow } from "@/features/designer/document/store";
import { readWorkflow } from "@/features/designer/document/workflow";
import { useRun } from "@/features/designer/run/store";

interface VisitState {
  link: ResolvedLink | null;
  /** Look where a link leads; rejects with `FloworkError` where it leads nowhere. */
  resolve(token: string): Promise<void>;
  /** Fetch the workflow; the gateway must be connected. */
  load(): Promise<void>;
  run(): Promise<void>;
  leave(): void;
}

export const useVisit = create<VisitState>((set, get) => ({
  link: null,

  async resolve(token) {
    const link = await new RestClient(null).call("resolve_share_link", { path: { token } });
    await useSession.getState().visit(link.engine_id, token);
    set({ link });
  },

  async load() {
    const { engine, preset } = reached(get().link);
    const loaded = await engine.request("load_preset", { name: preset });
    const origin = { preset: loaded.name, version: loaded.version };
    useDocument.getState().load(readWorkflow(loaded.workflow_data), origin);
  },

  async run() {
    const { engine, preset } = reached(get().link);
    const jobId = crypto.randomUUID();
    await engine.request("execute_workflow", { preset_name: preset, job_id: jobId });
    useRun.getState().attach(jobId, workflowNow());
  },

  leave() {
    useRun.getState().detach();
    useSession.getState().signOut();
    set({ link: null });
  },
}));

function reached(link: ResolvedLink | null) {
  const { engine } = useSession.getState();
  if (!engine || !link) throw new FloworkError("ENGINE_UNAVAILABLE", "The link was not opened yet.");
  return { engine, preset: link.preset_name };
}
