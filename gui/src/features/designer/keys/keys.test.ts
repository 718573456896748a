// @vitest-environment jsdom
import { describe, expect, it } from "vitest";
import { COMMANDS } from "./commands";
import { commandOf, isTyping, spelled } from "./keyboard";
import { nearest } from "./walk";

const press = (key: string, held: Partial<KeyboardEvent> = {}) =>
  ({ key, ctrlKey: false, metaKey: false, shiftKey: false, altKey: false, ...held }) as KeyboardEvent;

describe("keys", () => {
  it.each([
    ["n", {}, "add"],
    ["Tab", {}, "add"],
    ["Enter", { ctrlKey: true }, "run"],
    ["Enter", { shiftKey: true }, "runHere"],
    ["z", { ctrlKey: true }, "undo"],
    ["Z", { ctrlKey: true, shiftKey: true }, "redo"],
    ["y", { ctrlKey: true }, "redo"],
    ["k", { ctrlKey: true }, "commands"],
    ["?", { shiftKey: true }, "help"],
    ["d", {}, "disable"],
    ["d", { ctrlKey: true }, "duplicate"],
    ["F2", {}, "rename"],
    ["S", { shiftKey: true }, "note"],
    ["s", { ctrlKey: true }, "save"],
    ["ArrowLeft", { altKey: true }, "moveArrowLeft"],
    ["P", { shiftKey: true }, "publish"],
    ["p", {}, "pin"],
    ["g", { altKey: true }, "collapse"],
  ])("%s %o", (key, held, id) => {
    expect(commandOf(press(key, held))?.id).toBe(id);
  });

  it("never mean two things", () => {
    const keys = COMMANDS.flatMap((command) => command.keys);
    expect(new Set(keys).size).toBe(keys.length);
  });

  it("leave other keys alone", () => {
    expect(commandOf(press("q"))).toBeUndefined();
    expect(spelled(press("a", { altKey: true, shiftKey: true }))).toBe("Alt+Shift+A");
  });

  it("belong to the text where somebody types", () => {
    expect(isTyping(document.createElement("textarea"))).toBe(true);
    expect(isTyping(document.createElement("button"))).toBe(false);
    expect(isTyping(null)).toBe(false);
  });
});

describe("walking", () => {
  const node = (id: string, x: number, y: number) => ({
    id,
    name: id,
    module_id: "m",
    x,
    y,
    config_values: {},
  });
  const from = node("from", 0, 0);
  const nodes = [
    from,
    node("right", 300, 20),
    node("far", 900, 0),
    node("below", 40, 200),
    node("left", -300, 0),
  ];
  it("goes to the nearest step in the direction", () => {
    expect(nearest(nodes, from, 1, 0)?.id).toBe("right");
    expect(nearest(nodes, from, -1, 0)?.id).toBe("left");
    expect(nearest(nodes, from, 0, 1)?.id).toBe("below");
    expect(nearest(nodes, from, 0, -1)).toBeUndefined();
  });
});
