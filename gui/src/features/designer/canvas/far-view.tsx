import { ViewportPortal } from "@xyflow/react";
import { memo, useMemo } from "react";
import type { NodeStatus } from "@/contract/contract.gen";
import { NODE_HEIGHT, NODE_WIDTH } from "../document/layout";
import { useRun } from "../run/store";
import type { CanvasNode } from "./model";
import type { WireEdge } from "./wire";

/** Where, below the upper edge of a step, its first ports are. */
const PORT_Y = 66;

interface Props {
  nodes: readonly CanvasNode[];
  edges: readonly WireEdge[];
}

/**
 * The steps and connections of a large workflow as a few shapes, for looking at it from afar.
 *
 * The browser layers each element of its own in every frame that moves it: hundreds of them cost more than all the rest.
 */
export const FarView = memo(function FarView({ nodes, edges }: Props) {
  const passed = useRun((state) => state.run?.passed);
  const ran = useRun((state) => state.run?.nodes);
  const wires = useMemo(() => wiresOf(nodes, edges, passed ?? {}), [nodes, edges, passed]);
  const steps = useMemo(() => stepsOf(nodes, (id) => ran?.[id]?.status), [nodes, ran]);
  return (
    <ViewportPortal>
      <svg className="far-view" aria-hidden="true">
        {[...wires].map(([kind, lines]) => (
          <path key={kind} className="far-wire" data-kind={kind} d={lines} />
        ))}
        {[...steps].map(([kind, shapes]) => (
          <path key={kind} className="far-step" data-kind={kind} d={shapes} />
        ))}
      </svg>
    </ViewportPortal>
  );
});

function wiresOf(nodes: Props["nodes"], edges: Props["edges"], passed: Readonly<Record<string, number>>) {
  const places = new Map(nodes.map((node) => [node.id, node.position]));
  const lines = new Map<string, string>();
  for (const { id, source, target, data } of edges) {
    const [from, to] = [places.get(source), places.get(target)];
    if (!from || !to) continue;
    const [left, right] = [from.x + NODE_WIDTH, to.x];
    const [high, low] = [from.y + PORT_Y, to.y + PORT_Y];
    const bend = Math.max(40, Math.abs(right - left) / 2);
    const kind = passed[id] ? "passed" : data?.error ? "error" : "plain";
    const line = `M${left},${high}C${left + bend},${high} ${right - bend},${low} ${right},${low}`;
    lines.set(kind, (lines.get(kind) ?? "") + line);
  }
  return lines;
}

function stepsOf(nodes: Props["nodes"], statusOf: (id: string) => NodeStatus | undefined) {
  const shapes = new Map<string, string>();
  for (const { id, type, position, selected, measured, data, hidden } of nodes) {
    if (hidden || (type !== "step" && !data.note?.collapsed)) continue;
    const kind = selected ? "chosen" : (statusOf(id) ?? "plain");
    const height = measured?.height ?? NODE_HEIGHT;
    const shape = `M${position.x},${position.y}h${NODE_WIDTH}v${height}h${-NODE_WIDTH}z`;
    shapes.set(kind, (shapes.get(kind) ?? "") + shape);
  }
  return shapes;
}
