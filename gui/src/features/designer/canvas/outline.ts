/** The size of a step and the places of its ports, known before it is drawn, so that only steps in view are drawn. */

import { type NodeHandle, Position } from "@xyflow/react";
import { NODE_WIDTH } from "../document/layout";
import type { WorkflowNode } from "../document/workflow";
import { type Listed, portsOf } from "../palette/catalog";

/** The lengths that the style sheet gives (`.step-head`, `.step-port`), in points of the canvas. */
const REST = 63.5;
const ROW = 20.8;
const PORT = { size: 12, top: 58.9, left: -5, right: 213 };

export interface Outline {
  /** Which ports there are; the outline of a step with the same ones is the same. */
  ports: string;
  width: number;
  height: number;
  handles: NodeHandle[];
}

const KNOWN = new WeakMap<WorkflowNode, { component: Listed | undefined; outline: Outline }>();

/** The outline of a step that has not run; asked for often, for steps that do not change. */
export function outlineOf(node: WorkflowNode, component: Listed | undefined): Outline {
  const known = KNOWN.get(node);
  if (known && known.component === component) return known.outline;
  const outline = drawn(node, component);
  KNOWN.set(node, { component, outline });
  return outline;
}

function drawn(node: WorkflowNode, component: Listed | undefined): Outline {
  const { inputs, outputs } = portsOf(node, component);
  const rows = Math.max(inputs.length, outputs.length);
  const place = (side: "source" | "target") => (port: { name: string }, row: number) => ({
    id: port.name,
    type: side,
    position: side === "source" ? Position.Right : Position.Left,
    x: side === "source" ? PORT.right : PORT.left,
    y: PORT.top + row * ROW,
    width: PORT.size,
    height: PORT.size,
  });
  return {
    ports: JSON.stringify([inputs.map(({ name }) => name), outputs.map(({ name }) => name)]),
    width: NODE_WIDTH,
    height: Math.round(REST + rows * ROW),
    handles: [...inputs.map(place("target")), ...outputs.map(place("source"))],
  };
}
