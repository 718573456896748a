/** What went wrong, in the one shape that REST and sockets share. */

import type { ErrorCode } from "@/contract/contract.gen";

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

/** Say any error in a sentence for people. */
export function sentenceOf(error: unknown): string {
  if (error instanceof Error && error.message) return error.message;
  return "Something went wrong, and nothing says what.";
}
