/** The workflow of a run, as far as it can be known: the saved preset, or what the designer holds. */

import { useEffect, useState } from "react";
import { useSession } from "@/app/session";
import type { RunDetails } from "@/contract/contract.gen";
import { readDraft } from "@/features/designer/document/draft";
import { readWorkflow, type Workflow } from "@/features/designer/document/workflow";

const fits = (workflow: Workflow, run: RunDetails): boolean => {
  const ids = new Set(workflow.nodes.map((node) => node.id));
  return run.nodes.length > 0 && run.nodes.every((node) => ids.has(node.node_id));
};

export function useRunWorkflow(details: RunDetails | null): Workflow | null {
  const engine = useSession((state) => state.engine);
  const [found, setFound] = useState<Workflow | null>(null);
  const jobId = details?.run.job_id;
  // A run's workflow does not change.
  useEffect(() => {
    if (!details || !engine) return;
    let left = false;
    const name = details.run.preset_name;
    const draft = readDraft(engine.engineId, name);
    if (draft && fits(draft.workflow, details)) setFound(draft.workflow);
    else if (name) {
      engine.request("load_preset", { name }).then(
        (preset) => {
          const workflow = readWorkflow(preset.workflow_data);
          if (!left && fits(workflow, details)) setFound(workflow);
        },
        () => undefined, // A run of a preset that is gone is shown without its connections.
      );
    }
    return () => {
      left = true;
    };
  }, [jobId, engine]);
  return found;
}
