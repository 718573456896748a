/** Where nodes stand: tidied up from left to right, or aligned with each other. */

import { graphlib, layout } from "@dagrejs/dagre";
import { GRID, move, type Place, snapped } from "./edits";
import type { Workflow } from "./workflow";

export const NODE_WIDTH = 220;
export const NODE_HEIGHT = 84;
export type Alignment = "left" | "top" | "across" | "down";

/** Put the nodes (all, or the chosen ones) in order along their connections. */
export function tidy(
  workflow: Workflow,
  ids: ReadonlySet<string>,
  heights?: ReadonlyMap<string, number>,
): Workflow {
  const chosen = ids.size > 1 ? workflow.nodes.filter((node) => ids.has(node.id)) : workflow.nodes;
  if (chosen.length === 0) return workflow;
  const graph = new graphlib.Graph();
  graph.setGraph({ rankdir: "LR", nodesep: 40, ranksep: 100 });
  graph.setDefaultEdgeLabel(() => ({}));
  const known = new Set(chosen.map((node) => node.id));
  for (const node of chosen) {
    graph.setNode(node.id, { width: NODE_WIDTH, height: heights?.get(node.id) ?? NODE_HEIGHT });
  }
  for (const { source, target } of workflow.connections) {
    if (known.has(source) && known.has(target)) graph.setEdge(source, target);
  }
  layout(graph);
  const corner = {
    x: Math.min(...chosen.map((node) => node.x)),
    y: Math.min(...chosen.map((node) => node.y)),
  };
  const found = chosen.map((node) => ({ id: node.id, ...(graph.node(node.id) as Required<Place & Size>) }));
  const left = Math.min(...found.map((item) => item.x - item.width / 2));
  const top = Math.min(...found.map((item) => item.y - item.height / 2));
  const places = new Map<string, Place>();
  for (const item of found) {
    const x = corner.x + item.x - item.width / 2 - left;
    const y = corner.y + item.y - item.height / 2 - top;
    places.set(item.id, snapped({ x, y }));
  }
  return move(workflow, places);
}

interface Size {
  width: number;
  height: number;
}

/** Align the chosen nodes, or space them evenly across or down. */
export function align(workflow: Workflow, ids: ReadonlySet<string>, how: Alignment): Workflow {
  const chosen = workflow.nodes.filter((node) => ids.has(node.id));
  if (chosen.length < 2) return workflow;
  const left = Math.min(...chosen.map((node) => node.x));
  const top = Math.min(...chosen.map((node) => node.y));
  if (how === "left") return move(workflow, new Map(chosen.map((node) => [node.id, { x: left, y: node.y }])));
  if (how === "top") return move(workflow, new Map(chosen.map((node) => [node.id, { x: node.x, y: top }])));
  const axis = how === "across" ? "x" : "y";
  const ordered = [...chosen].sort((one, other) => one[axis] - other[axis]);
  const from = ordered[0]?.[axis] ?? 0;
  const last = ordered.at(-1)?.[axis] ?? 0;
  const least = how === "across" ? NODE_WIDTH + 3 * GRID : NODE_HEIGHT + 2 * GRID;
  const step = Math.max((last - from) / (ordered.length - 1), least);
  return move(
    workflow,
    new Map(ordered.map((node, place) => [node.id, { x: node.x, y: node.y, [axis]: from + place * step }])),
  );
}
