import { expect, it } from "vitest";
import { framesOf, loopsFor, putInside, withInside } from "./bodies";
import { copyText, pasteText } from "./clipboard";
import { remove } from "./edits";
import { NO_WORKFLOW, type Workflow } from "./workflow";

const node = (id: string, x: number, parent?: string) => ({
  id,
  name: id,
  module_id: id.startsWith("loop") ? "for_each" : "delay",
  x,
  y: 0,
  config_values: {},
  ...(parent ? { parent_id: parent } : {}),
});
const wire = (source: string, target: string) => ({ id: `${source}${target}`, source, target });
const nested = (): Workflow => ({
  nodes: [node("loop", 0), node("loop2", 300, "loop"), node("in", 600, "loop2"), node("out", 900)],
  connections: [wire("loop", "out")],
});

it("a loop is copied with all that stands inside it, and deleted with it", () => {
  expect(withInside(nested(), new Set(["loop"]))).toEqual(new Set(["loop", "loop2", "in"]));
  const text = copyText(nested(), new Set(["loop"])) ?? "";
  const { nodes } = pasteText(NO_WORKFLOW, text, null).workflow;
  expect(nodes.map(({ name }) => name)).toEqual(["loop", "loop2", "in"]);
  expect(nodes.map(({ parent_id }) => parent_id)).toEqual([undefined, nodes[0]?.id, nodes[1]?.id]);
  expect(remove(nested(), new Set(["loop"])).nodes.map(({ id }) => id)).toEqual(["out"]);
});

it("a step copied without its loop stands on its own", () => {
  const { nodes } = pasteText(nested(), copyText(nested(), new Set(["in"])) ?? "", null).workflow;
  expect(nodes.at(-1)).not.toHaveProperty("parent_id");
});

it("a step goes into a loop and out of it; no connection leads through the wall", () => {
  const into = putInside(nested(), new Set(["out"]), "loop");
  expect(into.nodes.at(-1)).toMatchObject({ parent_id: "loop" });
  expect(into.connections).toEqual([]);
  expect(putInside(into, new Set(["out"]), null).nodes.at(-1)).not.toHaveProperty("parent_id");
});

it("a loop never goes into itself or into what stands inside it", () => {
  const holds = ({ module_id }: { module_id: string }) => module_id === "for_each";
  expect(loopsFor(nested(), "loop", holds)).toEqual([]);
  expect(loopsFor(nested(), "loop2", holds).map(({ id }) => id)).toEqual(["loop"]);
  expect(loopsFor(nested(), "out", holds).map(({ id }) => id)).toEqual(["loop", "loop2"]);
});

it("each loop has a frame around its inside, outer ones first", () => {
  const frames = framesOf(nested());
  expect(frames.map(({ loop }) => loop.id)).toEqual(["loop", "loop2"]);
  const [outer, inner] = frames;
  expect(outer && inner && outer.x < inner.x && outer.width > inner.width).toBe(true);
  const circle = { ...nested(), nodes: [node("loop", 0, "loop2"), node("loop2", 1, "loop")] };
  expect(framesOf(circle)).toHaveLength(2);
});
