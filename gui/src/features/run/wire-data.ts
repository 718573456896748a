/** What went along the connections of a run, as the engine kept it. */

import { useEffect, useState } from "react";
import { FloworkError, sentenceOf } from "@/api/errors";
import { useSession } from "@/app/session";
import type { PassedPayload } from "@/contract/contract.gen";

export interface WireData {
  payloads: PassedPayload[] | null;
  problem: string | null;
}

const NOTHING: WireData = { payloads: null, problem: null };
const NONE: WireData = { payloads: [], problem: null };

/** Ask for a connection's payloads; again whenever `count` (how many passed) changes. */
export function useWireData(jobId: string | null, wireId: string | null, count: number): WireData {
  const engine = useSession((state) => state.engine);
  // What belongs to another run or connection is never shown, not even until the answer comes.
  const about = `${jobId} ${wireId}`;
  const [found, setFound] = useState({ about: "", data: NOTHING });
  // A new count means new payloads.
  useEffect(() => {
    let left = false;
    if (!engine || !jobId || !wireId) return;
    const tell = (data: WireData) => !left && setFound({ about: `${jobId} ${wireId}`, data });
    engine.request("request_connection_history", { job_id: jobId, connection_id: wireId }).then(
      (answer) => tell({ payloads: answer.history, problem: null }),
      (error: unknown) => {
        // A run that is being started is not known yet.
        const early = count === 0 && error instanceof FloworkError && error.code === "NOT_FOUND";
        tell(early ? NONE : { payloads: null, problem: sentenceOf(error) });
      },
    );
    return () => {
      left = true;
    };
  }, [engine, jobId, wireId, count]);
  return jobId && wireId && found.about === about ? found.data : NOTHING;
}
