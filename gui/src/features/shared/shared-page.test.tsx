// @vitest-environment jsdom
import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, expect, it } from "vitest";
import { useSession } from "@/app/session";
import type { ResolvedLink } from "@/contract/contract.gen";
import SharedPage from "./shared-page";
import { useVisit } from "./visit";

const found = { ...useVisit.getState() };
afterEach(() => {
  cleanup();
  useVisit.setState(found);
  useSession.setState({ connected: false });
});

it("a workflow that could not be fetched is asked for again by hand", async () => {
  let tries = 0;
  useSession.setState({ connected: true });
  useVisit.setState({
    link: {
      preset_name: "Report",
      workflow_name: "Report",
      permission_level: "view",
      owner_id: `0x${"1".repeat(40)}`,
    } as ResolvedLink,
    resolve: () => Promise.resolve(),
    load: () => Promise.reject(new Error(`refused ${++tries}`)),
    leave: () => undefined,
  });
  render(<SharedPage token="token" />);
  await screen.findByText("refused 1");
  fireEvent.click(screen.getByRole("button", { name: "Try again" }));
  expect(await screen.findByText("refused 2")).toBeDefined();
});
