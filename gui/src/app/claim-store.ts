/** The claim link this page was opened with, until it is used or put away. */

import { create } from "zustand";
import { type Claim, claimEngine, readClaim } from "./claim";
import { useSession } from "./session";

interface ClaimState {
  claim: Claim | "damaged" | null;
  /** Claim the engine for who is signed in, and take it into use; returns its name. */
  use(): Promise<string>;
  dismiss(): void;
}

export const useClaim = create<ClaimState>((set, get) => ({
  claim: readClaim(location.hash),
  async use() {
    const { claim } = get();
    const { signer, rest, loadEngines, choose } = useSession.getState();
    if (!signer || !claim || claim === "damaged") throw new Error("There is nothing to claim.");
    const engine = await claimEngine(rest, claim, signer.address);
    get().dismiss();
    await loadEngines();
    choose(engine.id);
    return engine.name;
  },
  dismiss() {
    set({ claim: null });
    // the link is used up; it need not stay in the address bar and the history
    if (location.hash) history.replaceState(history.state, "", location.pathname + location.search);
  },
}));

window.addEventListener("hashchange", () => {
  const claim = readClaim(location.hash);
  if (claim) useClaim.setState({ claim });
});
