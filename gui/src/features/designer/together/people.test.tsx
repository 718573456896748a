// @vitest-environment jsdom
import { cleanup, render, renderHook, screen, waitFor } from "@testing-library/react";
import { ReactFlowProvider } from "@xyflow/react";
import { afterEach, expect, it } from "vitest";
import { FloworkError } from "@/api/errors";
import { useSession } from "@/app/session";
import type { EngineClient } from "@/engine/client";
import type { Signer } from "@/wallet/signer";
import { useDocument } from "../document/store";
import { NO_WORKFLOW } from "../document/workflow";
import { noteApart } from "./company";
import { People } from "./people";
import { useTogether } from "./watch";

const asked: string[] = [];
let refusal: FloworkError;
const engine = {
  engineId: "e",
  listen: () => () => {},
  request(name: string) {
    asked.push(name);
    return Promise.reject(refusal);
  },
} as unknown as EngineClient;

function come(signer: Partial<Signer>) {
  useDocument.getState().load(NO_WORKFLOW, { preset: "Report", version: 1 });
  useSession.setState({ engine, engineId: "e", way: "direct", visitor: null, signer: signer as Signer });
  render(
    <ReactFlowProvider>
      <People />
    </ReactFlowProvider>,
  );
  return renderHook(() => useTogether());
}
afterEach(() => {
  cleanup();
  noteApart(null);
  asked.length = 0;
  useSession.setState({ engine: null, engineId: null, way: null, signer: null });
});

it("who has a wallet that asks for each signature is told that nobody sees them, and is asked nothing", () => {
  const { unmount } = come({ asks: true });
  expect(screen.getByRole("note").title).toContain("your wallet asks for each signature");
  expect(asked).toEqual([]);
  unmount();
  expect(screen.queryByRole("note")).toBeNull();
});

it("who may no longer sign without a prompt is told so; another failure says nothing", async () => {
  const delegation = { message: "", signature: "" };
  refusal = new FloworkError("ENGINE_UNAVAILABLE", "Away.");
  const first = come({ asks: false, delegation });
  await waitFor(() => expect(asked).toContain("watch_preset"));
  expect(screen.queryByRole("note")).toBeNull();
  first.unmount();
  cleanup();
  refusal = new FloworkError("STALE", "The wallet’s permission for this page has ended.");
  come({ asks: false, delegation });
  expect((await screen.findByRole("note")).title).toContain("has ended");
});
