import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { useToasts } from "@/ui/toasts";
import { sayWhenEnded } from "./ending";

beforeEach(() => {
  vi.useFakeTimers();
  useToasts.setState({ toasts: [] });
});
afterEach(() => vi.useRealTimers());

const said = () => useToasts.getState().toasts.map(({ text }) => text);

it("says when the wallet's permission for the page has ended, once", () => {
  sayWhenEnded({ ends: Date.now() + 1000 });
  vi.advanceTimersByTime(999);
  expect(said()).toEqual([]);
  vi.advanceTimersByTime(60_000);
  expect(said()).toEqual([expect.stringContaining("permission for this page has ended")]);
});

it("says nothing to whom signed out before, nor to whom needs no permission", () => {
  sayWhenEnded({ ends: Date.now() + 1000 })();
  sayWhenEnded({});
  vi.advanceTimersByTime(60_000);
  expect(said()).toEqual([]);
});
