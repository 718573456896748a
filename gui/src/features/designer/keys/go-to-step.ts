/** The way to a step that was found. */

import type { ReactFlowInstance } from "@xyflow/react";
import { boxesOf, toggleCollapsed } from "../document/groups";
import { useDocument, workflowNow } from "../document/store";

/** Choose a step and bring it into view; the group that hides it is expanded. */
export function goToStep(flow: ReactFlowInstance, id: string): void {
  const { edit, choose } = useDocument.getState();
  if (boxesOf(workflowNow()).has(id)) edit((now) => toggleCollapsed(now, new Set([id])));
  choose([id]);
  void flow.fitView({ nodes: [{ id }], maxZoom: 1, duration: 200 });
}
