import { describe, expect, it } from "vitest";
import { EXAMPLES, freeName } from "./examples";

describe("the examples", () => {
  it("are those of the platform and of each component", () => {
    expect(EXAMPLES.find(({ id }) => id === "hello")).toMatchObject({ name: "Hello", complete: true });
    expect(EXAMPLES.length).toBeGreaterThan(20);
    expect(new Set(EXAMPLES.map(({ id }) => id)).size).toBe(EXAMPLES.length);
    for (const { id, name, workflow } of EXAMPLES) {
      expect(name, id).not.toBe("");
      expect(workflow, id).toHaveProperty("nodes");
      expect(workflow, id).not.toHaveProperty("name");
    }
  });

  it("get a name that is free", () => {
    expect(freeName("Hello", [])).toBe("Hello");
    expect(freeName("Hello", ["hello", "Hello 2"])).toBe("Hello 3");
  });
});
