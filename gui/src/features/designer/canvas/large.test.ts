// @vitest-environment jsdom
import { describe, expect, it } from "vitest";
import { GRID } from "../document/edits";
import { gapAt, shiftAt } from "./dots";
import { frameOf } from "./large-map";
import type { CanvasNode } from "./model";

describe("the dots of the grid", () => {
  it.each([2, 1, 0.7, 0.35, 0.17, 0.1])("are never a haze: at zoom %d", (zoom) => {
    const gap = gapAt(zoom);
    expect(gap).toBeGreaterThanOrEqual(12);
    // each of them stands on the grid still
    expect(Number.isInteger(Math.log2(gap / (GRID * zoom)))).toBe(true);
  });

  it.each([0, 7.5, -13, 1234, -98765])("stand where the canvas has its zero: at %d", (at) => {
    const gap = gapAt(1);
    const shift = shiftAt(at, gap);
    expect(shift).toBeLessThanOrEqual(0);
    expect(shift).toBeGreaterThanOrEqual(-gap);
    // the first dot is half a gap from the edge, which is 64 points outside
    const first = shift - 64 + gap / 2;
    expect(Math.abs((at - first) % gap)).toBeCloseTo(0);
  });
});

describe("the overview of a large workflow", () => {
  const node = (x: number, y: number, more = {}): CanvasNode => ({
    id: `${x} ${y}`,
    type: "step",
    position: { x, y },
    data: {},
    ...more,
  });

  it("holds every step that is shown, in the middle", () => {
    const nodes = [node(-500, 0), node(7000, 3000), node(90_000, 0, { hidden: true })];
    const { x, y, scale } = frameOf(nodes);
    for (const { position } of nodes.slice(0, 2)) {
      expect((position.x - x) * scale).toBeGreaterThan(0);
      expect((position.x + 220 - x) * scale).toBeLessThan(200);
      expect((position.y - y) * scale).toBeGreaterThan(0);
      expect((position.y + 80 - y) * scale).toBeLessThan(150);
    }
    expect((-500 - x) * scale).toBeCloseTo(200 - (7220 - x) * scale);
  });

  it("is there for nothing, too", () => {
    expect(frameOf([])).toEqual({ x: 0, y: 0, scale: 1 });
  });
});
