import { useMemo } from "react";
import { useT, type Word } from "@/i18n/words";
import { NODE_HEIGHT, NODE_WIDTH } from "../document/layout";
import type { Workflow } from "../document/workflow";
import { type Change, unionOf } from "./diff";

const EDGE = 30;
const LONGEST = 26;
const KINDS: Change[] = ["added", "removed", "changed"];

/** Two versions as one drawing: what came, what went and what changed has its colour, its line and its sign. */
export function DiffMap({ before, after }: { before: Workflow; after: Workflow }) {
  const t = useT();
  const { nodes, wires } = useMemo(() => unionOf(before, after), [before, after]);
  if (nodes.length === 0) return null;
  const left = Math.min(...nodes.map(({ node }) => node.x)) - EDGE;
  const top = Math.min(...nodes.map(({ node }) => node.y)) - EDGE;
  const right = Math.max(...nodes.map(({ node }) => node.x)) + NODE_WIDTH + EDGE;
  const bottom = Math.max(...nodes.map(({ node }) => node.y)) + NODE_HEIGHT + EDGE;
  const places = new Map(nodes.map(({ node }) => [node.id, node]));
  const counts = KINDS.map((kind) => ({
    kind,
    count: [...nodes, ...wires].filter(({ change }) => change === kind).length,
  }));
  const told = counts.map(({ kind, count }) => `${t(`change.${kind}` as Word)}: ${count}`).join(", ");
  return (
    <figure className="diff-map">
      <svg viewBox={`${left} ${top} ${right - left} ${bottom - top}`} role="img" aria-label={told}>
        {wires.map(({ wire, change }) => {
          const [from, to] = [places.get(wire.source), places.get(wire.target)];
          if (!from || !to) return null;
          const [x1, y1] = [from.x + NODE_WIDTH, from.y + NODE_HEIGHT / 2];
          const [x2, y2] = [to.x, to.y + NODE_HEIGHT / 2];
          const bend = Math.max(40, Math.abs(x2 - x1) / 2);
          return (
            <path
              key={`${wire.id}${change}`}
              data-change={change}
              d={`M${x1},${y1} C${x1 + bend},${y1} ${x2 - bend},${y2} ${x2},${y2}`}
            />
          );
        })}
        {nodes.map(({ node, change }) => (
          <g key={`${node.id}${change}`} data-change={change}>
            <rect x={node.x} y={node.y} width={NODE_WIDTH} height={NODE_HEIGHT} rx={12} />
            <text x={node.x + NODE_WIDTH / 2} y={node.y + NODE_HEIGHT / 2 + 6} textAnchor="middle">
              {SIGNS[change]}
              {node.name.length > LONGEST ? `${node.name.slice(0, LONGEST)}…` : node.name}
            </text>
          </g>
        ))}
      </svg>
      <figcaption className="row">
        {counts.map(({ kind, count }) => (
          <span key={kind} data-change={kind}>
            {SIGNS[kind]}
            {t(`change.${kind}` as Word)}: {count}
          </span>
        ))}
      </figcaption>
    </figure>
  );
}

const SIGNS: Record<Change, string> = { added: "+ ", removed: "− ", changed: "~ ", same: "" };
