import { beforeEach, describe, expect, it, vi } from "vitest";
import type { RestClient } from "@/api/rest";
import { useSession } from "@/app/session";
import { favouritesFirst, useFavouritePresets } from "./favourites";

const call = vi.fn();
beforeEach(() => {
  call.mockReset();
  useSession.setState({ rest: { call } as unknown as RestClient });
  useFavouritePresets.setState({ names: new Set() });
});

describe("favourite presets", () => {
  it("are kept by the gateway", async () => {
    call.mockResolvedValueOnce(["One"]);
    await useFavouritePresets.getState().load();
    await useFavouritePresets.getState().toggle("Two");
    expect(call).toHaveBeenLastCalledWith("put_favorite_presets", { body: ["One", "Two"] });
    await useFavouritePresets.getState().toggle("One");
    expect(call).toHaveBeenLastCalledWith("put_favorite_presets", { body: ["Two"] });
  });

  it("are as before where they could not be kept", async () => {
    call.mockRejectedValueOnce(new Error("no"));
    await expect(useFavouritePresets.getState().toggle("One")).rejects.toThrow("no");
    expect([...useFavouritePresets.getState().names]).toEqual([]);
  });

  it("come first, in the order they had", () => {
    const items = ["a", "b", "c", "d"].map((name) => ({ name }));
    expect(favouritesFirst(items, new Set(["d", "b"])).map(({ name }) => name)).toEqual(["b", "d", "a", "c"]);
  });
});
