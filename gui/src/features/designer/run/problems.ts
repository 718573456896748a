/** What the engine finds wrong with the workflow, shown where it is wrong. */

import { create } from "zustand";
import { useSession } from "@/app/session";
import type { WorkflowProblem } from "@/contract/contract.gen";
import { useDocument, workflowNow } from "../document/store";

interface ProblemState {
  problems: WorkflowProblem[];
  byNode: Readonly<Record<string, WorkflowProblem[]>>;
  byWire: Readonly<Record<string, WorkflowProblem[]>>;
}

export const useProblems = create<ProblemState>(() => ({ problems: [], byNode: {}, byWire: {} }));

/** Take in a list of problems, as `validate_workflow` and INVALID_WORKFLOW give it. */
export function noteProblems(given: unknown): void {
  const problems = Array.isArray(given) ? (given as WorkflowProblem[]) : [];
  useProblems.setState({
    problems,
    byNode: grouped(problems, (problem) => problem.node_id),
    byWire: grouped(problems, (problem) => problem.connection_id),
  });
}

function grouped(problems: WorkflowProblem[], of: (problem: WorkflowProblem) => string | null | undefined) {
  const groups: Record<string, WorkflowProblem[]> = {};
  for (const problem of problems) {
    const key = of(problem);
    if (!key) continue;
    groups[key] ??= [];
    groups[key].push(problem);
  }
  return groups;
}

const QUIET_MS = 700;

/** Check the workflow with the engine whenever it rests after a change; returns how to stop. */
export function checkWhileEditing(): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let latest = 0;
  const check = async () => {
    const { engine } = useSession.getState();
    const workflow = workflowNow();
    if (!engine || workflow.nodes.length === 0) return noteProblems([]);
    const turn = ++latest;
    try {
      const answer = await engine.request("validate_workflow", { workflow_data: workflow });
      if (turn === latest) noteProblems(answer.problems);
    } catch {
      // Without the engine nothing can be said; a run says what is wrong.
    }
  };
  const plan = () => {
    clearTimeout(timer);
    timer = setTimeout(() => void check(), QUIET_MS);
  };
  plan();
  const stop = useDocument.subscribe((state, before) => {
    if (state.history.present !== before.history.present) plan();
  });
  return () => {
    clearTimeout(timer);
    latest++;
    stop();
  };
}
