import { describe, expect, it } from "vitest";
import type { MarketItem } from "@/contract/contract.gen";
import { found, published, workflowOf } from "./market";

const item = (name: string, likes: number, desc = ""): MarketItem => ({
  id: name,
  type: "preset",
  name,
  desc,
  price: "0",
  author: "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266",
  author_name: "ana",
  published_at: "2026-01-01T00:00:00Z",
  version: 1,
  likes,
  dislikes: 1,
});

describe("the marketplace", () => {
  it("finds by every word, best liked first", () => {
    const items = [item("Mail", 1, "daily report"), item("Report", 5), item("Other", 9)];
    expect(found(items, "report").map(({ name }) => name)).toEqual(["Report", "Mail"]);
    expect(found(items, "ANA daily").map(({ name }) => name)).toEqual(["Mail"]);
    expect(found(items, "")).toHaveLength(3);
  });

  it("gives back the workflow that was published, and reads bare ones too", () => {
    const workflow = workflowOf({ nodes: [{ id: "a", module_id: "delay", x: 1, y: 2 }], connections: [] });
    expect(workflowOf(published(workflow))).toEqual(workflow);
    expect(() => workflowOf({ name: "nothing" })).toThrow(/no workflow/);
    expect(() => workflowOf(null)).toThrow(/no workflow/);
  });
});
