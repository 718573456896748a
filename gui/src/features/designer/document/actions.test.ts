import { beforeEach, expect, it } from "vitest";
import { addComponent, collapseChosen, connectSteps, groupChosen } from "./actions";
import { useDocument, workflowNow } from "./store";
import type { Listed } from "../palette/catalog";

const step = (id: string, more = {}) => ({
  id,
  name: id,
  module_id: "delay",
  x: 0,
  y: 0,
  config_values: {},
  ...more,
});
const wires = () =>
  workflowNow().connections.map(
    ({ source, source_port_name, target, target_port_name }) =>
      `${source}.${source_port_name} > ${target}.${target_port_name}`,
  );

beforeEach(() => {
  const nodes = [step("a"), step("b"), step("loop"), step("in", { parent_id: "loop" })];
  useDocument.getState().load({ nodes, connections: [] }, { preset: null, version: null });
});

it("a wire that is dropped on a step ends at its first port, from either side", () => {
  connectSteps({ node: "a", port: "error", end: "source" }, "b");
  connectSteps({ node: "a", port: "input", end: "target" }, "loop");
  connectSteps({ node: "a", port: "success", end: "source" }, "a");
  connectSteps({ node: "a", port: "success", end: "source" }, "nobody");
  expect(wires()).toEqual(["a.error > b.input", "loop.success > a.input"]);
});

it("a step that is added beside one inside a loop comes inside too", () => {
  const manifest = { input_ports: [], output_ports: [{ name: "success", display_name: "" }], properties: [] };
  const delay = { id: "delay", name: "Delay", kind: "modules", manifest } as unknown as Listed;
  const place = { x: 0, y: 0 };
  const made = addComponent(delay, { place, from: { node: "in", port: "success", end: "source" } });
  expect(workflowNow().nodes.find(({ id }) => id === made)?.parent_id).toBe("loop");
  const other = addComponent(delay, { place, from: { node: "a", port: "success", end: "source" } });
  expect(workflowNow().nodes.find(({ id }) => id === other)).not.toHaveProperty("parent_id");
});

it("a loop is grouped with its inside, and the group of a chosen step collapses", () => {
  const { choose } = useDocument.getState();
  choose(["loop"]);
  groupChosen();
  expect(workflowNow().notes?.[0]?.members).toEqual(["loop", "in"]);
  choose(["in"]);
  collapseChosen();
  expect(workflowNow().notes?.[0]?.collapsed).toBe(true);
  expect([...useDocument.getState().chosen]).toEqual([workflowNow().notes?.[0]?.id]);
});
