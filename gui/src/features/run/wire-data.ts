/** What went along the connections of a run, as the engine kept it. */

import { useEffect, useState } from "react";
import { sentenceOf } from "@/api/errors";
import { useSession } from "@/app/session";
import type { PassedPayload } from "@/contract/contract.gen";

export interface WireData {
  payloads: PassedPayload[] | null;
  problem: string | null;
}

const NOTHING: WireData = { payloads: null, problem: null };

/** Ask for a connection's payloads; again whenever `count` (how many passed) changes. */
export function useWireData(jobId: string | null, wireId: string | null, count: number): WireData {
  const engine = useSession((state) => state.engine);
  const [found, setFound] = useState<WireData>(NOTHING);
  // A new count means new payloads.
  useEffect(() => {
    let left = false;
    if (!engine || !jobId || !wireId) {
      setFound(NOTHING);
      return;
    }
    engine.request("request_connection_history", { job_id: jobId, connection_id: wireId }).then(
      (answer) => !left && setFound({ payloads: answer.history, problem: null }),
      (error: unknown) => !left && setFound({ payloads: null, problem: sentenceOf(error) }),
    );
    return () => {
      left = true;
    };
  }, [engine, jobId, wireId, count]);
  return found;
}
