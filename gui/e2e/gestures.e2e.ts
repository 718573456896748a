/** How the canvas is moved and changed: with a mouse, and with fingers. */

import { type CDPSession, expect, type Page, test } from "@playwright/test";
import { expectAccessible } from "./accessible";
import { centre, paste, port, signIn, status, step } from "./owner";

const node = (name: string, module_id: string, x: number, config_values = {}) => ({
  id: name,
  name,
  module_id,
  x,
  y: 100,
  config_values,
});
const wire = (source: string, target: string) => ({
  id: `edge-${source}-${target}`,
  source,
  target,
  source_port_name: "success",
  target_port_name: "input",
});

test("the canvas is moved as one is used to, and what was found is opened", async ({ page }) => {
  await signIn(page, "/designer");
  await paste(page, {
    nodes: [node("Left", "delay", 0, { seconds: 0 }), node("Right", "delay", 600, { seconds: 0 })],
    connections: [wire("Left", "Right")],
  });
  await page.keyboard.press("1");
  const canvas = page.getByRole("region", { name: "Canvas" });
  const chosen = page.locator(".step[data-selected=true]");
  const sweep = async () => {
    const box = await canvas.boundingBox();
    if (!box) throw new Error("no canvas");
    await canvas.click({ position: { x: 20, y: 20 } });
    await page.mouse.move(box.x + 20, box.y + 20);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width / 2, box.y + box.height - 20, { steps: 5 });
    await page.mouse.up();
  };
  const left = async () => (await centre(step(page, "Left"))).x;

  await test.step("a drag on the empty canvas chooses steps, the wheel moves", async () => {
    const before = await left();
    await sweep();
    await expect(chosen).toHaveCount(1);
    expect(await left()).toBe(before);
    const high = (await centre(step(page, "Left"))).y;
    await page.mouse.wheel(0, 60);
    await expect.poll(async () => (await centre(step(page, "Left"))).y).toBeLessThan(high);
  });

  await test.step("as a map the drag moves it, and Shift chooses", async () => {
    await page.keyboard.press("m");
    await page.keyboard.press("1");
    const before = await left();
    await sweep();
    await expect(chosen).toHaveCount(0);
    expect(await left()).toBeGreaterThan(before + 100);
    await page.keyboard.press("1");
    await page.keyboard.down("Shift");
    await sweep();
    await page.keyboard.up("Shift");
    await expect(chosen).toHaveCount(1);
    await page.keyboard.press("m");
  });

  await test.step("with the space bar a drag moves the canvas, whatever it does else", async () => {
    await page.keyboard.press("1");
    const before = await left();
    await page.keyboard.down("Space");
    await sweep();
    await page.keyboard.up("Space");
    await expect(chosen).toHaveCount(0);
    expect(await left()).toBeGreaterThan(before + 100);
    await page.keyboard.press("1");
  });

  await test.step("a component dropped on a wire goes into it", async () => {
    const wires = page.locator(".react-flow__edge");
    await expect(wires).toHaveCount(1);
    const [from, to] = [await centre(step(page, "Left")), await centre(step(page, "Right"))];
    const [box, end] = [await canvas.boundingBox(), await centre(port(page, "Right", "target", "input"))];
    if (!box) throw new Error("no canvas");
    await page.getByRole("button", { name: "Template", exact: true }).dragTo(canvas, {
      targetPosition: { x: (from.x + to.x) / 2 - box.x, y: end.y - box.y },
    });
    await expect(page.getByRole("group", { name: "Left → Template" })).toHaveCount(1);
    await expect(page.getByRole("group", { name: "Template → Right" })).toHaveCount(1);
    await expect(wires).toHaveCount(2);
    await page.keyboard.press("Control+z");
    await expect(page.getByRole("group", { name: "Left → Right" })).toHaveCount(1);
  });

  await test.step("the double click on the empty canvas adds a step there", async () => {
    await canvas.dblclick({ position: { x: 60, y: 60 } });
    await page.getByRole("combobox").fill("sleep");
    await page.keyboard.press("Enter");
    await expect(page.locator(".react-flow__node")).toHaveCount(3);
  });

  await test.step("the bar of commands finds a run and opens it", async () => {
    await page.keyboard.press("Control+Enter");
    await expect(status(page)).toContainText("Succeeded");
    await page.keyboard.press("Control+k");
    await page.getByRole("combobox").fill("succeeded");
    await expect(page.getByRole("option", { name: /Succeeded/ }).first()).toBeVisible();
    await expectAccessible(page);
    await page.keyboard.press("Enter");
    await expect(page).toHaveURL(/\/runs\/[\w-]+$/);
    await expect(status(page)).toContainText("Succeeded");
  });
});

test.describe("with fingers", () => {
  test.use({ hasTouch: true, isMobile: true, viewport: { width: 1100, height: 800 } });

  test("two of them move and zoom the canvas, one that stays opens the menu", async ({ page }) => {
    await signIn(page, "/designer");
    await paste(page, {
      nodes: [node("Left", "delay", 0, { seconds: 0 }), node("Right", "delay", 400, { seconds: 0 })],
      connections: [wire("Left", "Right")],
    });
    await page.keyboard.press("1");
    const canvas = page.getByRole("region", { name: "Canvas" });
    const fingers = await page.context().newCDPSession(page);
    const middle = await centre(canvas);
    const empty = { x: middle.x, y: middle.y + 180 };
    const [left, right] = [() => centre(step(page, "Left")), () => centre(step(page, "Right"))];
    const place = (name: string) =>
      step(page, name).evaluate((element) => (element as HTMLElement).style.transform);
    const between = async () => [await place("Left"), await place("Right")];
    const apart = async () => (await right()).x - (await left()).x;

    await test.step("a pinch zooms", async () => {
      const before = await apart();
      await pinch(page, fingers, empty, { from: 200, to: 100 });
      await expect.poll(apart).toBeLessThan(before * 0.7);
      await pinch(page, fingers, empty, { from: 100, to: 180 });
      await expect.poll(apart).toBeGreaterThan(before * 0.8);
    });

    await test.step("also with both fingers on steps, which stay where they are", async () => {
      await page.keyboard.press("1");
      const [before, gap] = [await apart(), await between()];
      await pinch(page, fingers, middle, { from: before, to: before / 2 });
      await expect.poll(apart).toBeLessThan(before * 0.7);
      expect(await between()).toEqual(gap);
      // and one finger moves the one it is on, as ever
      await draw(fingers, [await left()], { x: 0, y: 60 });
      await expect.poll(between).not.toEqual(gap);
      await page.keyboard.press("Control+z");
      await expect.poll(between).toEqual(gap);
    });

    await test.step("two fingers, and one on the empty canvas, move it", async () => {
      await page.keyboard.press("1");
      const before = await left();
      const [one, other] = [
        { x: middle.x - 60, y: middle.y + 180 },
        { x: middle.x + 60, y: middle.y + 180 },
      ];
      await draw(fingers, [one, other], { x: 0, y: -90 });
      await expect.poll(async () => before.y - (await left()).y).toBeGreaterThan(60);
      await draw(fingers, [one], { x: 0, y: 90 });
      await expect.poll(async () => Math.abs(before.y - (await left()).y)).toBeLessThan(30);
    });

    await test.step("a long press on a step opens its menu, one on the canvas that of the canvas", async () => {
      const menu = page.getByRole("menu");
      const { x, y } = await left();
      await touch(fingers, "touchStart", [{ x, y: y - 10 }]);
      await expect(menu.getByRole("menuitem", { name: /^Rename/ })).toBeVisible();
      await touch(fingers, "touchEnd", []);
      await menu.getByRole("menuitem", { name: /^Disable/ }).tap();
      await expect(step(page, "Left").getByRole("img", { name: "disabled" })).toBeVisible();
      await expect(menu).toBeHidden();
      await touch(fingers, "touchStart", [{ x: middle.x, y: middle.y + 200 }]);
      await expect(menu.getByRole("menuitem", { name: /^Choose everything/ })).toBeVisible();
      await touch(fingers, "touchEnd", []);
    });
  });
});

interface Point {
  x: number;
  y: number;
}

const touch = (fingers: CDPSession, type: "touchStart" | "touchMove" | "touchEnd", points: Point[]) =>
  fingers.send("Input.dispatchTouchEvent", {
    type,
    touchPoints: points.map((point, id) => ({ ...point, id })),
  });

/** Put fingers down, move them in ten steps, lift them. */
async function draw(fingers: CDPSession, from: Point[], by: Point): Promise<void> {
  const at = (part: number) => from.map(({ x, y }) => ({ x: x + by.x * part, y: y + by.y * part }));
  await touch(fingers, "touchStart", at(0));
  for (let turn = 1; turn <= 10; turn++) await touch(fingers, "touchMove", at(turn / 10));
  await touch(fingers, "touchEnd", []);
}

/** Two fingers beside a point come nearer to each other, or go apart. */
async function pinch(page: Page, fingers: CDPSession, { x, y }: Point, gap: { from: number; to: number }) {
  const at = (part: number) => {
    const half = (gap.from + (gap.to - gap.from) * part) / 2;
    return [
      { x: x - half, y },
      { x: x + half, y },
    ];
  };
  await touch(fingers, "touchStart", at(0));
  for (let turn = 1; turn <= 10; turn++) await touch(fingers, "touchMove", at(turn / 10));
  await touch(fingers, "touchEnd", []);
  // a second tap at once would be a double tap
  await page.waitForTimeout(400);
}
