/** Events as the rest of the page knows them: the raw socket's frames, whichever way they came. */

import { type Events, RELAYED } from "@/contract/contract.gen";

export type Frame = Record<string, unknown> & { type: string };
export type RunFrame = Frame & { job_id: string; seq: number };

/** Turn an event of the relay into the frame of the raw socket; null for what is no engine's event. */
export function frameOfRelay(event: string, data: unknown): Frame | null {
  const type = event === "error" ? "error" : RELAYED[event];
  const fields = unwrap(data);
  if (!type || !fields) return null;
  if (type === "NODE_EXECUTION_METRIC") {
    const { metric, ...outer } = fields as { metric?: object };
    return { ...outer, ...metric, type };
  }
  if (type === "log") {
    const { ts, ...rest } = fields as { ts?: unknown };
    return { ...rest, timestamp: ts, type };
  }
  return { ...fields, type };
}

/** The frames of a message of the raw socket: one, or a batch of them. */
export function framesOfRaw(text: string): Frame[] {
  const value: unknown = JSON.parse(text);
  if (!isObject(value)) return [];
  const list = value.type === "batch" && Array.isArray(value.frames) ? value.frames : [value];
  return list.filter(isFrame);
}

export function isRunFrame(frame: Frame): frame is RunFrame {
  return typeof frame.job_id === "string" && typeof frame.seq === "number";
}

export const isFrameOf = <Name extends keyof Events>(
  frame: Frame,
  name: Name,
): frame is Frame & Events[Name] => frame.type === name;

function unwrap(data: unknown): Record<string, unknown> | null {
  if (!isObject(data)) return null;
  return data.v !== undefined && isObject(data.payload) ? data.payload : data;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const isFrame = (value: unknown): value is Frame => isObject(value) && typeof value.type === "string";
