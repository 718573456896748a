/** What a step's expressions can reach: the steps before it and their data. */

import type { Workflow, WorkflowConnection, WorkflowNode } from "../document/workflow";

export interface Source {
  wire: WorkflowConnection;
  node: WorkflowNode;
  /** How an expression names the data: data for the direct input, nodes."Name".data for others. */
  root: string;
  direct: boolean;
}

const PLAIN = /^[A-Za-z_][A-Za-z0-9_]*$/;
export const rootOf = (name: string): string =>
  `nodes.${PLAIN.test(name) ? name : JSON.stringify(name)}.data`;

/** Where data comes from, the direct inputs first. */
export function sourcesOf(workflow: Workflow, nodeId: string): Source[] {
  const nodes = new Map(workflow.nodes.map((node) => [node.id, node]));
  const direct: Source[] = [];
  const others: Source[] = [];
  const seen = new Set([nodeId]);
  let open = [nodeId];
  while (open.length) {
    const next: string[] = [];
    for (const wire of workflow.connections) {
      if (!open.includes(wire.target)) continue;
      const node = nodes.get(wire.source);
      if (!node) continue;
      if (wire.target === nodeId) direct.push({ wire, node, root: "data", direct: true });
      else if (!seen.has(node.id)) others.push({ wire, node, root: rootOf(node.name), direct: false });
      if (!seen.has(node.id)) {
        seen.add(node.id);
        next.push(node.id);
      }
    }
    open = next;
  }
  return [...direct, ...others];
}
