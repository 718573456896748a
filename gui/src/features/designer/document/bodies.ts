/** The insides of loops: steps that name the loop they stand in (`parent_id`), which runs them once for each item. */

import { NODE_HEIGHT, NODE_WIDTH } from "./layout";
import type { Workflow, WorkflowNode } from "./workflow";

const EDGE = 24;
const HEAD = 40;

/** The id of the loop that a step stands in. */
export function loopOf(node: WorkflowNode): string | null {
  const found = node.parent_id ?? node.parentId;
  return typeof found === "string" && found ? found : null;
}

/** The ids, and with each loop those of the steps inside it. */
export function withInside(workflow: Workflow, ids: ReadonlySet<string>): ReadonlySet<string> {
  const found = new Set(ids);
  for (let before = -1; before !== found.size;) {
    before = found.size;
    for (const node of workflow.nodes) {
      const loop = loopOf(node);
      if (loop && found.has(loop)) found.add(node.id);
    }
  }
  return found;
}

/** Put steps into a loop, or out of all; connections that would lead through its wall go. */
export function putInside(workflow: Workflow, ids: ReadonlySet<string>, loop: string | null): Workflow {
  const nodes = workflow.nodes.map((node) => {
    if (!ids.has(node.id) || loopOf(node) === loop) return node;
    const { parent_id: _, parentId: __, ...rest } = node;
    return loop === null ? rest : { ...rest, parent_id: loop };
  });
  const places = new Map(nodes.map((node) => [node.id, loopOf(node)]));
  const connections = workflow.connections.filter(
    ({ source, target }) => places.get(source) === places.get(target),
  );
  return { ...workflow, nodes, connections };
}

/** The loops that a step may be put into: none of itself and of what stands inside it. */
export function loopsFor(
  workflow: Workflow,
  id: string,
  holds: (node: WorkflowNode) => boolean,
): WorkflowNode[] {
  const own = withInside(workflow, new Set([id]));
  return workflow.nodes.filter((node) => holds(node) && !own.has(node.id));
}

export interface Frame {
  /** The loop whose inside this is. */
  loop: WorkflowNode;
  x: number;
  y: number;
  width: number;
  height: number;
}

/** The frame around the inside of each loop, the outer ones first. */
export function framesOf({ nodes }: Workflow): Frame[] {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const inside = new Map<string, WorkflowNode[]>();
  for (const node of nodes) {
    const seen = new Set<string>();
    for (let loop = loopOf(node); loop && !seen.has(loop); loop = parentOf(byId.get(loop))) {
      seen.add(loop);
      inside.set(loop, [...(inside.get(loop) ?? []), node]);
    }
  }
  const depth = (node: WorkflowNode): number => {
    let count = 0;
    for (let loop = loopOf(node); loop && count < 20; loop = parentOf(byId.get(loop))) count++;
    return count;
  };
  return [...inside]
    .flatMap(([id, steps]) => {
      const loop = byId.get(id);
      return loop ? [around(loop, steps)] : [];
    })
    .sort((one, other) => depth(one.loop) - depth(other.loop));
}

const parentOf = (node: WorkflowNode | undefined): string | null => (node ? loopOf(node) : null);

function around(loop: WorkflowNode, steps: readonly WorkflowNode[]): Frame {
  const x = Math.min(...steps.map((step) => step.x)) - EDGE;
  const y = Math.min(...steps.map((step) => step.y)) - HEAD;
  const right = Math.max(...steps.map((step) => step.x)) + NODE_WIDTH + EDGE;
  const bottom = Math.max(...steps.map((step) => step.y)) + NODE_HEIGHT + HEAD + EDGE;
  return { loop, x, y, width: right - x, height: bottom - y };
}
