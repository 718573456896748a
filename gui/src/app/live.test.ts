// @vitest-environment jsdom
import { act, cleanup, renderHook, waitFor } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { KeySigner, type Signer } from "@/wallet/signer";
import { useEngineOnline, useLive } from "./live";
import { useSession } from "./session";

const signer: Signer = new KeySigner(Uint8Array.from({ length: 32 }, () => 7));
const setOnline = (online: boolean) =>
  act(() => useSession.setState({ states: { e: { online, vitals: null, history: [] } } }));

beforeEach(() => {
  useSession.setState({
    signer,
    connected: true,
    engineId: "e",
    engines: [],
    way: "relay",
    states: { e: { online: true, vitals: null, history: [] } },
  });
});
afterEach(() => {
  cleanup();
  useSession.getState().signOut();
});

describe("what a screen shows", () => {
  it("is loaded, and again for other keys, without what the first ones gave", async () => {
    const load = vi.fn((key: string) => Promise.resolve(`about ${key}`));
    const { result, rerender } = renderHook(({ key }) => useLive(() => load(key), [key]), {
      initialProps: { key: "a" },
    });
    await waitFor(() => expect(result.current.value).toBe("about a"));
    rerender({ key: "b" });
    expect(result.current.value).toBeNull();
    await waitFor(() => expect(result.current.value).toBe("about b"));
  });

  it("is not overwritten by an answer that comes late", async () => {
    const waiting: ((value: string) => void)[] = [];
    const load = () => new Promise<string>((resolve) => waiting.push(resolve));
    const { result } = renderHook(() => useLive(load, []));
    act(() => result.current.reload());
    await act(async () => waiting[1]?.("new"));
    await act(async () => waiting[0]?.("old"));
    expect(result.current.value).toBe("new");
    act(() => result.current.set("mine"));
    expect(result.current.value).toBe("mine");
  });

  it("stays while the engine is away, and is loaded again when it is back", async () => {
    let count = 0;
    const { result } = renderHook(() => useLive(() => Promise.resolve(++count), []));
    await waitFor(() => expect(result.current.value).toBe(1));
    setOnline(false);
    expect(result.current.value).toBe(1);
    setOnline(true);
    await waitFor(() => expect(result.current.value).toBe(2));
  });

  it("says why it could not be loaded, and keeps what it had", async () => {
    let turn = 0;
    const load = () =>
      turn++ === 0 ? Promise.resolve("good") : Promise.reject(new Error("The disk is full."));
    const { result } = renderHook(() => useLive(load, []));
    await waitFor(() => expect(result.current.value).toBe("good"));
    act(() => result.current.reload());
    await waitFor(() => expect(result.current.problem).toBe("The disk is full."));
    expect(result.current.value).toBe("good");
  });

  it("is tried again over another way where it failed", async () => {
    let turn = 0;
    const load = () => (turn++ === 0 ? Promise.reject(new Error("The way ended.")) : Promise.resolve("good"));
    const { result } = renderHook(() => useLive(load, []));
    await waitFor(() => expect(result.current.problem).toBe("The way ended."));
    act(() => useSession.setState({ way: "direct" }));
    await waitFor(() => expect(result.current).toMatchObject({ value: "good", problem: null }));
  });

  it("is kept fresh, but not where a wallet would ask its owner each time", async () => {
    vi.useFakeTimers();
    const load = vi.fn(() => Promise.resolve(1));
    const { unmount } = renderHook(() => useLive(load, [], 1000));
    await act(() => vi.advanceTimersByTimeAsync(3500));
    expect(load).toHaveBeenCalledTimes(4);
    unmount();
    load.mockClear();
    useSession.setState({
      signer: { address: signer.address, asks: true, sign: signer.sign, attest: signer.attest },
    });
    renderHook(() => useLive(load, [], 1000));
    await act(() => vi.advanceTimersByTimeAsync(3500));
    expect(load).toHaveBeenCalledTimes(1);
    vi.useRealTimers();
  });
});

describe("the engine", () => {
  it("is there when the gateway says so and is there itself, or by its own socket", () => {
    const { result } = renderHook(() => useEngineOnline());
    expect(result.current).toBe(true);
    act(() => useSession.setState({ connected: false }));
    expect(result.current).toBe(false);
    act(() => useSession.setState({ way: "direct" }));
    expect(result.current).toBe(true);
  });
});
