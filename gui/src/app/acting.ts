/** An action of a dialog: one at a time, and what went wrong is said where it was begun. */

import { useState } from "react";
import { sentenceOf } from "@/api/errors";

export interface Acting {
  busy: boolean;
  problem: string;
  /** Do it; true when it worked. ``after`` follows in both cases. */
  act(action: () => Promise<unknown>): Promise<boolean>;
}

export function useActing(after: () => void): Acting {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState("");
  async function act(action: () => Promise<unknown>): Promise<boolean> {
    setBusy(true);
    setProblem("");
    try {
      await action();
      return true;
    } catch (error) {
      setProblem(sentenceOf(error));
      return false;
    } finally {
      after();
      setBusy(false);
    }
  }
  return { busy, problem, act };
}
