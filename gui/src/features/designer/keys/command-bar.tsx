import { useReactFlow } from "@xyflow/react";
import { useEffect, useState } from "react";
import { useLocation } from "wouter";
import { useEngineOnline } from "@/app/live";
import { useSession } from "@/app/session";
import { useTheme } from "@/app/theme";
import { useTimes } from "@/app/times";
import type { RunSummary } from "@/contract/contract.gen";
import { useT, useWords } from "@/i18n/words";
import { useWorkflow } from "../document/store";
import { Chooser } from "../palette/chooser";
import { COMMANDS, isOffered } from "./commands";
import { type Deed, everything, matching } from "./finds";
import { goToStep } from "./go-to-step";

const MOST_RUNS = 200;

/** One field that finds everything: what can be done, and where one can go. */
export function CommandBar({ onDone }: { onDone(): void }) {
  const t = useT();
  const flow = useReactFlow();
  const [, go] = useLocation();
  const { ago } = useTimes();
  const { nodes } = useWorkflow();
  const visits = useSession((state) => state.visitor !== null);
  const { presets, runs } = useKept();
  const offered = COMMANDS.filter((command) => !command.keyOnly && isOffered(command));
  // a visitor of a share link has this one page
  const all = everything({ commands: offered, nodes, presets, runs, visits }, t, ago);
  const act = (deed: Deed) => {
    onDone();
    if (deed.kind === "page") go(deed.path);
    else if (deed.kind === "step") goToStep(flow, deed.id);
    else if (deed.kind === "theme") useTheme.getState().choose(deed.theme);
    else if (deed.kind === "language") void useWords.getState().choose(deed.language);
    // After the dialog gave the focus back, so that a dialog of the command keeps it.
    else setTimeout(() => offered.find(({ id }) => id === deed.id)?.run(flow));
  };
  return (
    <Chooser
      label={t("designer.barLabel")}
      nothing={t("designer.nothingFound")}
      choices={(text) => matching(all, text)}
      onChoose={(id) => {
        const found = all.find((item) => item.id === id);
        if (found) act(found.deed);
      }}
    />
  );
}

/** The presets and the newest runs of the engine; without it the bar still finds everything else. */
function useKept(): { presets: readonly string[]; runs: readonly RunSummary[] } {
  const engine = useSession((state) => state.engine);
  const silent = useSession((state) => state.visitor !== null || (state.signer?.asks ?? false));
  const online = useEngineOnline();
  const [presets, setPresets] = useState<readonly string[]>([]);
  const [runs, setRuns] = useState<readonly RunSummary[]>([]);
  useEffect(() => {
    if (!engine || silent || !online) return;
    let left = false;
    engine.request("request_presets_list", {}).then(
      (answer) => !left && setPresets(answer.presets.map(({ name }) => name)),
      () => undefined,
    );
    engine.request("list_runs", { limit: MOST_RUNS }).then(
      (answer) => !left && setRuns(answer.runs),
      () => undefined,
    );
    return () => {
      left = true;
    };
  }, [engine, silent, online]);
  return { presets, runs };
}
