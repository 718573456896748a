/** Walking over the canvas with the arrows: to the nearest step in that direction. */

import { boxesOf } from "../document/groups";
import { useDocument, workflowNow } from "../document/store";
import type { WorkflowNode } from "../document/workflow";

/** The nearest node in a direction; steps aside cost more than steps ahead. */
export function nearest(nodes: readonly WorkflowNode[], from: WorkflowNode, x: number, y: number) {
  let best: WorkflowNode | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const node of nodes) {
    const ahead = (node.x - from.x) * x + (node.y - from.y) * y;
    const aside = Math.abs((node.x - from.x) * y) + Math.abs((node.y - from.y) * x);
    if (node === from || ahead <= 0) continue;
    const cost = ahead + 2 * aside;
    if (cost < least) [best, least] = [node, cost];
  }
  return best;
}

export function walk(x: number, y: number): void {
  const boxes = boxesOf(workflowNow());
  const nodes = workflowNow().nodes.filter(({ id }) => !boxes.has(id));
  const { chosen, choose } = useDocument.getState();
  const from = nodes.find((node) => chosen.has(node.id));
  const next = from ? nearest(nodes, from, x, y) : nodes[0];
  if (!next) return;
  choose([next.id]);
  requestAnimationFrame(() => {
    document.querySelector<HTMLElement>(`.react-flow__node[data-id="${CSS.escape(next.id)}"]`)?.focus();
  });
}
