import { expect, it } from "vitest";
import { viewAfter } from "./steady-view";

const view = { x: 100, y: 50, zoom: 0.5 };
const wide = { width: 800, height: 600 };
const narrow = { width: 460, height: 600 };

it("what was shown as a whole is shown as a whole again", () => {
  const all = { x: 0, y: 0, width: 1000, height: 200 };
  expect(viewAfter(view, wide, narrow, all)).toBe("fit");
  expect(viewAfter(view, wide, { width: 700, height: 600 }, all)).toBeNull();
});

it("of more than fits, the middle stays the middle", () => {
  const all = { x: 0, y: 0, width: 9000, height: 200 };
  expect(viewAfter(view, wide, narrow, all)).toEqual({ x: -70, y: 50, zoom: 0.5 });
});

it("the first size, and one that is the same, change nothing", () => {
  const all = { x: 0, y: 0, width: 10, height: 10 };
  expect(viewAfter(view, { width: 0, height: 0 }, wide, all)).toBeNull();
  expect(viewAfter(view, wide, wide, all)).toBeNull();
});
