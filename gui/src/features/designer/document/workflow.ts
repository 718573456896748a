/** A workflow as it is stored (workflow_data); members that this page does not know are kept as they are. */

import { FloworkError } from "@/api/errors";

export interface Unknown {
  [member: string]: unknown;
}

export interface WorkflowNode extends Unknown {
  id: string;
  name: string;
  module_id: string;
  x: number;
  y: number;
  config_values: Record<string, unknown>;
  data?: Record<string, unknown>;
  join?: "all" | "any";
  disabled?: boolean;
  retry?: Record<string, number> | null;
  timeout_seconds?: number | null;
}

export interface WorkflowConnection extends Unknown {
  id: string;
  source: string;
  target: string;
  source_port_name?: string | null;
  target_port_name?: string | null;
}

/** A note on the canvas: ours, kept beside nodes and connections; engines ignore it. */
export interface WorkflowNote extends Unknown {
  id: string;
  text: string;
  x: number;
  y: number;
  width: number;
  height: number;
  /** The steps of a group; a note that is no group has none. */
  members?: string[];
  /** Whether a group is shown as one box in the place of its steps. */
  collapsed?: boolean;
}

export interface Workflow extends Unknown {
  nodes: WorkflowNode[];
  connections: WorkflowConnection[];
  notes?: WorkflowNote[];
}

export const NO_WORKFLOW: Workflow = { nodes: [], connections: [] };

const isObject = (value: unknown): value is Unknown =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const number = (value: unknown, other: number): number =>
  Number.isFinite(value) ? (value as number) : other;
const text = (value: unknown): string | undefined => (typeof value === "string" && value ? value : undefined);

/** Read a workflow of any origin: old names are brought to today's, what is missing is filled in. */
export function readWorkflow(given: unknown): Workflow {
  if (!isObject(given) || !Array.isArray(given.nodes)) {
    throw new FloworkError("INVALID_WORKFLOW", "This is no workflow: it has no list of nodes.");
  }
  const nodes = given.nodes.filter(isObject).map(readNode);
  const connections = Array.isArray(given.connections) ? given.connections.filter(isObject) : [];
  const notes = Array.isArray(given.notes) ? given.notes.filter(isObject).map(readNote) : null;
  return {
    ...given,
    nodes,
    connections: connections.map(readConnection),
    ...(notes ? { notes } : {}),
  };
}

function readNode(given: Unknown, place: number): WorkflowNode {
  const id = text(given.id) ?? newId();
  return {
    ...given,
    id,
    name: text(given.name) ?? text(given.module_id) ?? id,
    module_id: text(given.module_id) ?? "",
    x: number(given.x, 80 + (place % 5) * 280),
    y: number(given.y, 80 + Math.floor(place / 5) * 160),
    config_values: isObject(given.config_values) ? given.config_values : {},
  };
}

function readConnection(given: Unknown): WorkflowConnection {
  const { from, to, sourceHandle, targetHandle, ...rest } = given;
  const sourcePort = rest.source_port_name ?? sourceHandle;
  const targetPort = rest.target_port_name ?? targetHandle;
  return {
    ...rest,
    id: text(rest.id) ?? newEdgeId(),
    source: String(rest.source ?? from ?? ""),
    target: String(rest.target ?? to ?? ""),
    ...(sourcePort === undefined ? {} : { source_port_name: text(sourcePort) ?? null }),
    ...(targetPort === undefined ? {} : { target_port_name: text(targetPort) ?? null }),
  };
}

function readNote(given: Unknown): WorkflowNote {
  return {
    ...given,
    id: text(given.id) ?? newId(),
    text: typeof given.text === "string" ? given.text : "",
    x: number(given.x, 40),
    y: number(given.y, 40),
    width: number(given.width, 240),
    height: number(given.height, 120),
    ...(Array.isArray(given.members)
      ? { members: given.members.filter((id) => typeof id === "string") }
      : {}),
  };
}

export const newId = (): string => crypto.randomUUID();
export const newEdgeId = (): string => `edge-${crypto.randomUUID()}`;
