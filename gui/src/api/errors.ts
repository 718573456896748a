/** What went wrong, in the one shape that REST and sockets share. */

import type { ErrorCode } from "@/contract/contract.gen";
import { t, type Word } from "@/i18n/words";

export class FloworkError extends Error {
  readonly code: ErrorCode;
  readonly details: unknown;

  constructor(code: ErrorCode, message: string, details?: unknown) {
    super(message);
    this.name = "FloworkError";
    this.code = code;
    this.details = details;
  }
}

/** What one can do about an error of a kind, where its own text rarely says so. */
const ADVICE: Partial<Record<ErrorCode, Word>> = {
  FORBIDDEN: "advice.role",
  NOT_FOUND: "advice.gone",
  UNAUTHENTICATED: "advice.signature",
  BAD_SIGNATURE: "advice.signature",
  STALE: "advice.clock",
  REPLAYED: "advice.again",
  RATE_LIMITED: "advice.wait",
  STORAGE_FULL: "advice.disk",
  JOURNAL_CORRUPT: "advice.backup",
  SANDBOX_UNAVAILABLE: "advice.doctor",
  ENGINE_UNAVAILABLE: "advice.engine",
  DEADLINE_EXCEEDED: "advice.again",
  INTERNAL: "advice.report",
};
const SAYS_WHAT_TO_DO = /\b(again|wait|check|choose|ask|unlock|open|use|set|first)\b/i;

/** Say any error for people: what happened, and what to do about it. */
export function sentenceOf(error: unknown): string {
  if (!(error instanceof Error) || !error.message) return t("advice.unknown");
  const advice = error instanceof FloworkError ? ADVICE[error.code] : undefined;
  if (!advice || SAYS_WHAT_TO_DO.test(error.message)) return error.message;
  return `${error.message} ${t(advice)}`;
}
