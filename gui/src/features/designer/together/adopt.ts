/** Brings what somebody else saved onto the canvas, under one's own unsaved changes; also in what undo brings back. */

import type { History } from "../document/history";
import { useDocument } from "../document/store";
import { NO_WORKFLOW, type Workflow } from "../document/workflow";
import { type Clash, type Merged, merge, same } from "../save/merge";

export interface Theirs {
  workflow: Workflow;
  version: number;
  name: string;
}

/** Put one's changes since `base` on top of theirs; what came before and what was undone follows. */
export function rebase(
  history: History<Workflow>,
  base: Workflow,
  theirs: Workflow,
): { history: History<Workflow>; clashes: Clash[] } {
  const onto = (mine: Workflow): Merged => {
    const merged = mine === base ? { workflow: theirs, clashes: [] } : merge(base, mine, theirs);
    return same(merged.workflow, theirs) ? { workflow: theirs, clashes: [] } : merged;
  };
  const present = onto(history.present);
  return {
    history: {
      past: history.past.map((mine) => onto(mine).workflow),
      present: present.workflow,
      future: history.future.map((mine) => onto(mine).workflow),
      mark: null,
    },
    clashes: present.clashes,
  };
}

/**
 * Take up a newer version of the preset on the canvas; returns what both had changed, where mine stands now.
 *
 * `fetchBase` gives the version that the edit started from, where the page does not have it: after a reload.
 */
export async function adopt(
  theirs: Theirs,
  fetchBase: (version: number) => Promise<Theirs>,
): Promise<Clash[]> {
  const { saved, version, preset } = useDocument.getState();
  const known = saved !== NO_WORKFLOW || version === null || version === 0;
  const base = known ? saved : (await fetchBase(version)).workflow;
  const now = useDocument.getState();
  // meanwhile another workflow was opened, or a version of one's own was saved
  if (now.preset !== preset || now.saved !== saved || now.version !== version) return [];
  const { history, clashes } = rebase(
    now.history,
    now.history.present === saved ? saved : base,
    theirs.workflow,
  );
  const { nodes, connections, notes = [] } = history.present;
  const ids = new Set([...nodes, ...connections, ...notes].map((item) => item.id));
  useDocument.setState({
    history,
    saved: theirs.workflow,
    version: theirs.version,
    preset: theirs.name,
    chosen: new Set([...now.chosen].filter((id) => ids.has(id))),
    open: now.open && ids.has(now.open) ? now.open : null,
  });
  return clashes;
}
