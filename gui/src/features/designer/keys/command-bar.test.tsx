// @vitest-environment jsdom
import { cleanup, fireEvent, render, screen, waitFor } from "@testing-library/react";
import { ReactFlowProvider } from "@xyflow/react";
import { afterEach, expect, it, vi } from "vitest";
import { useSession } from "@/app/session";
import { useTheme } from "@/app/theme";
import type { EngineClient } from "@/engine/client";
import type { Signer } from "@/wallet/signer";
import { CommandBar } from "./command-bar";

const show = (done: () => void = () => {}) =>
  render(
    <ReactFlowProvider>
      <CommandBar onDone={done} />
    </ReactFlowProvider>,
  );

const asked: string[] = [];
const engine = {
  engineId: "e",
  request(name: string) {
    asked.push(name);
    const runs = [{ job_id: "run-77", preset_name: "Report", status: "FAILED", started_at: 0 }];
    return Promise.resolve({ presets: [{ name: "Report" }], runs });
  },
} as unknown as EngineClient;
const signedIn = { engine, engineId: "e", way: "direct" as const, visitor: null, signer: null };

afterEach(() => {
  cleanup();
  asked.length = 0;
  history.replaceState(null, "", "/");
  useTheme.getState().choose("system");
  useSession.setState({ engine: null, engineId: null, way: null, visitor: null, signer: null });
});

const type = (text: string) => {
  fireEvent.change(screen.getByRole("combobox"), { target: { value: text } });
  return screen.getByRole("combobox");
};

it("opens a run that the engine has", async () => {
  useSession.setState(signedIn);
  const done = vi.fn();
  show(done);
  type("run-77");
  await screen.findByRole("option", { name: /Report/ });
  fireEvent.keyDown(screen.getByRole("combobox"), { key: "Enter" });
  expect(done).toHaveBeenCalledOnce();
  await waitFor(() => expect(location.pathname).toBe("/runs/run-77"));
});

it("changes a setting", () => {
  show();
  fireEvent.keyDown(type("theme dark"), { key: "Enter" });
  expect(useTheme.getState().theme).toBe("dark");
  expect(document.documentElement.dataset.theme).toBe("dark");
});

it("asks nothing of an engine that is away, for a visitor, or by a wallet that asks each time", () => {
  const asks = { address: "0x", asks: true } as Signer;
  for (const change of [{ way: null }, { visitor: asks }, { signer: asks }]) {
    useSession.setState({ ...signedIn, ...change });
    show();
    cleanup();
  }
  expect(asked).toEqual([]);
});
