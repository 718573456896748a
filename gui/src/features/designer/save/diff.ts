/** How two versions of a workflow differ, step by step, for a drawing of both. */

import { canonicalJson } from "@/crypto/preset";
import type { Workflow, WorkflowConnection, WorkflowNode } from "../document/workflow";

export type Change = "added" | "removed" | "changed" | "same";

export interface DrawnNode {
  node: WorkflowNode;
  change: Change;
}

export interface DrawnWire {
  wire: WorkflowConnection;
  change: Change;
}

/** Where a step is drawn does not change what it does. */
const meaning = ({ x: _, y: __, ...rest }: WorkflowNode): string => canonicalJson(rest);

/** Everything that is in either version; what was removed stands where it stood. */
export function unionOf(before: Workflow, after: Workflow): { nodes: DrawnNode[]; wires: DrawnWire[] } {
  const wasNode = new Map(before.nodes.map((node) => [node.id, node]));
  const isNode = new Map(after.nodes.map((node) => [node.id, node]));
  const wasWire = new Map(before.connections.map((wire) => [wire.id, wire]));
  const isWire = new Map(after.connections.map((wire) => [wire.id, wire]));
  const nodes = after.nodes.map((node): DrawnNode => {
    const old = wasNode.get(node.id);
    const same = old && meaning(old) === meaning(node);
    return { node, change: old ? (same ? "same" : "changed") : "added" };
  });
  const wires = after.connections.map((wire): DrawnWire => {
    const old = wasWire.get(wire.id);
    const same = old && canonicalJson(old) === canonicalJson(wire);
    return { wire, change: old ? (same ? "same" : "changed") : "added" };
  });
  return {
    nodes: [...nodes, ...gone(before.nodes, isNode).map((node) => ({ node, change: "removed" as const }))],
    wires: [
      ...wires,
      ...gone(before.connections, isWire).map((wire) => ({ wire, change: "removed" as const })),
    ],
  };
}

const gone = <Item extends { id: string }>(items: readonly Item[], left: ReadonlyMap<string, Item>): Item[] =>
  items.filter((item) => !left.has(item.id));
