/** What is asked of the engine to see what an expression gives, and how the answer reads. */

import type { Commands, ExpressionPreview } from "@/contract/contract.gen";
import type { Outputs } from "../debug/aids";
import type { Workflow } from "../document/workflow";
import { sourcesOf } from "./upstream";

export type PreviewWish = Omit<Commands["preview_expression"]["request"], "request_id" | "type">;

/** The engine takes no longer texts, nor more pinned results. */
const LONGEST = 20_000;
const MOST_RESULTS = 50;
const MOST_INPUTS = 100;
/** Pinned results larger than this are not sent with every change of a text. */
const LARGEST_RESULTS = 256 * 1024;

/** Whether a text is worth asking about: a whole expression with something in it, or a statement. */
export const isAsked = (value: unknown): value is string =>
  typeof value === "string" && value.length <= LONGEST && /\{\{\s*[^\s{}][^]*\}\}|\{%[^]*%\}/.test(value);

/** Say what a text is to be worked out with: the run, and what is pinned in its place. */
export function wishOf(
  workflow: Workflow,
  nodeId: string,
  asked: { text: string; field: string; jobId: string | null },
  pins: Readonly<Record<string, { outputs: Outputs }>>,
): PreviewWish {
  const node = workflow.nodes.find(({ id }) => id === nodeId);
  const wires = workflow.connections.filter(({ target }) => target === nodeId);
  const before = sourcesOf(workflow, nodeId).filter(
    (source) => source.direct || asked.text.includes(source.node.name) || asked.text.includes(source.node.id),
  );
  const results = [];
  let size = 0;
  for (const source of new Map(before.map((item) => [item.node.id, item.node])).values()) {
    const pin = pins[source.id];
    if (!pin || results.length === MOST_RESULTS) continue;
    size += JSON.stringify(pin.outputs).length;
    if (size > LARGEST_RESULTS) break;
    results.push({ node_id: source.id, name: source.name, outputs: pin.outputs });
  }
  return {
    text: asked.text,
    node_id: nodeId,
    field: asked.field,
    ...(node ? { module_id: node.module_id } : {}),
    ...(asked.jobId ? { job_id: asked.jobId } : {}),
    inputs: wires
      .slice(0, MOST_INPUTS)
      .map(({ source, source_port_name }) => ({ node_id: source, port: source_port_name ?? null })),
    results,
  };
}

export type Reading =
  | { tone: "value"; text: string; cut: boolean; noData: boolean }
  | { tone: "nothing" | "empty"; noData: boolean }
  | { tone: "problem"; text: string }
  | { tone: "hint"; word: "later" | "asWritten" };

/** Read an answer; null where there is nothing to say. */
export function readingOf(answer: ExpressionPreview): Reading | null {
  const { kind, result, problem, cut = false } = answer;
  const noData = !answer.has_input;
  if (kind === "own") return null;
  if (problem) return { tone: "problem", text: problem };
  if (kind === "statement") return { tone: "hint", word: "later" };
  if (kind === "text") return { tone: "hint", word: "asWritten" };
  if (result === null || result === undefined) return { tone: "nothing", noData };
  if (result === "") return { tone: "empty", noData };
  return { tone: "value", text: typeof result === "string" ? result : JSON.stringify(result), cut, noData };
}
