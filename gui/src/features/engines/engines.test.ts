import { describe, expect, it } from "vitest";
import { isSocketAddress } from "./direct-dialog";
import { lineOf } from "./sparkline";
import { envLines } from "./start-lines";

describe("engines", () => {
  it.each([
    ["ws://127.0.0.1:8765", true],
    ["ws://localhost:8765/", true],
    ["wss://engine.example.org/socket", true],
    ["ws://engine.example.org", false],
    ["https://engine.example.org", false],
    ["engine.example.org", false],
    ["wss://engine.example.org/#x", false],
  ])("are reached at %s: %s", (address, good) => expect(isSocketAddress(address)).toBe(good));

  it("show their load as a line that ends at the right edge", () => {
    expect(lineOf([0, 50, 100], 3)).toBe("0.0,30.0 60.0,16.0 120.0,2.0");
    expect(lineOf([200], 60)).toBe("120.0,2.0");
    expect(lineOf([], 60)).toBe("");
  });

  it("are set up by the lines of a file", () => {
    expect(envLines("e1", "dev_engine_x", "0xA", "http://g")).toBe(
      "FLOWORK_ENGINE_ID=e1\nFLOWORK_ENGINE_TOKEN=dev_engine_x\nFLOWORK_OWNER_ADDRESS=0xA\nGATEWAY_URL=http://g",
    );
  });
});
