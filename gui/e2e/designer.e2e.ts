/** The designer as people use it: draw, run, watch, save, decide. */

import { expect, type Page, test } from "@playwright/test";
import { expectAccessible } from "./accessible";
import { centre, drag, open, outcome, paste, port, signIn, status, step, unlock } from "./owner";

const node = (id: string, module_id: string, x: number, config_values = {}, more = {}) => ({
  id,
  name: id,
  module_id,
  x,
  y: 100,
  config_values,
  ...more,
});
const wire = (source: string, target: string, source_port_name = "success") => ({
  id: `edge-${source}-${target}`,
  source,
  target,
  source_port_name,
  target_port_name: "input",
});

async function saveAs(page: Page, name: string): Promise<void> {
  await page.keyboard.press("Control+s");
  const sheet = page.getByRole("dialog", { name: "Save as" });
  await sheet.getByLabel("Name").fill(name);
  await sheet.getByRole("button", { name: "Save" }).click();
  await expect(page.getByText(`${name} is saved as version 1.`)).toBeVisible();
}

test("a workflow of three steps is drawn by hand, run, looked at and saved", async ({ page }) => {
  await signIn(page, "/designer");
  await expect(page.getByRole("heading", { name: "Start with a step" })).toBeVisible();
  await expectAccessible(page);
  await page.getByRole("button", { name: "Static data", exact: true }).click();

  await test.step("its settings are a form", async () => {
    await open(page, "Static data");
    const panel = page.getByRole("dialog", { name: "Static data" });
    await panel.getByRole("button", { name: "Add a row" }).click();
    await panel.getByLabel("Name 1 of Values").fill("city");
    await panel.getByLabel("Value 1 of Values").click();
    await page.keyboard.type("Bandung");
    await expectAccessible(page);
    await page.keyboard.press("Escape");
    await expect(panel).toBeHidden();
  });

  await test.step("a wire dropped on empty canvas offers what can follow", async () => {
    const from = await centre(port(page, "Static data", "source", "success"));
    await drag(page, port(page, "Static data", "source", "success"), { x: from.x + 120, y: from.y - 160 });
    const picker = page.getByRole("dialog", { name: "Add a step" });
    await expectAccessible(page);
    await picker.getByRole("combobox").fill("template");
    await page.keyboard.press("Enter");
    await expect(step(page, "Template")).toBeVisible();
    await open(page, "Template");
    await page.getByRole("dialog").getByRole("textbox", { name: "Template" }).click();
    await page.keyboard.type("Hello {{ data.city }}!");
    await page.keyboard.press("Escape");
    await page.keyboard.press("Escape");
    await expect(page.getByRole("dialog")).toBeHidden();
  });

  await test.step("a component dragged in is connected by hand", async () => {
    await page.keyboard.press("1");
    const canvas = await page.getByRole("region", { name: "Canvas" }).boundingBox();
    if (!canvas) throw new Error("no canvas");
    await page
      .getByRole("button", { name: "Debug popup", exact: true })
      .dragTo(page.getByRole("region", { name: "Canvas" }), {
        targetPosition: { x: canvas.width / 2, y: canvas.height - 260 },
      });
    const target = port(page, "Debug popup", "target", "input");
    await drag(page, port(page, "Template", "source", "success"), await centre(target));
    await expect(page.locator(".react-flow__edge")).toHaveCount(2);
  });

  await test.step("undo takes the wire away, redo brings it back", async () => {
    await page.keyboard.press("Control+z");
    await expect(page.locator(".react-flow__edge")).toHaveCount(1);
    await page.keyboard.press("Control+Shift+z");
    await expect(page.locator(".react-flow__edge")).toHaveCount(2);
  });

  await test.step("it runs and shows its result", async () => {
    await page.keyboard.press("Shift+T");
    await page.keyboard.press("Control+Enter");
    const popup = page.getByRole("dialog", { name: "Debug" });
    await expect(popup.getByText("Hello Bandung!")).toBeVisible();
    await popup.getByRole("button", { name: "Close", exact: true }).last().click();
    await expect(status(page)).toContainText("Succeeded");
    await expect(outcome(page, "Template")).toContainText("Success");
    await page.getByRole("button", { name: "Look at the data; 1 passed" }).first().click();
    await expect(page.getByRole("dialog")).toContainText("Bandung");
    await page.keyboard.press("Escape");
    await expectAccessible(page);
  });

  await test.step("= begins an expression, and what it gives stands below it", async () => {
    const panel = page.getByRole("dialog", { name: "Debug popup" });
    const content = panel.getByRole("textbox", { name: /^content/i });
    await open(page, "Debug popup");
    await content.click();
    await page.keyboard.type("=");
    await expect(panel.getByRole("textbox", { name: /^content/i })).toHaveText("{{  }}");
    await page.keyboard.type("length(data.text)");
    await expect(panel.getByText("Gives 14", { exact: true })).toBeVisible();
    await page.keyboard.type("[");
    await expect(panel.getByText(/^The expression .* is not valid/).first()).toBeVisible();
    await page.keyboard.press("Control+a");
    await page.keyboard.type("=");
    await expect(panel.getByRole("textbox", { name: /^content/i })).toHaveText("{{  }}");
    const proposals = panel.locator(".cm-tooltip-autocomplete");
    await expect(proposals).toBeVisible();
    await page.keyboard.press("Escape");
    await expect(proposals).toBeHidden();
    await expect(panel).toBeVisible();
    await page.keyboard.press("Escape");
    await expect(panel).toBeHidden();
    await page.keyboard.press("Control+z");
  });

  await test.step("steps are grouped, and move with their group", async () => {
    await page.keyboard.press("1");
    await step(page, "Static data").click();
    await step(page, "Template").click({ modifiers: ["Shift"] });
    await page.keyboard.press("Control+g");
    const name = page.getByRole("textbox", { name: "Name of the group" });
    await name.fill("Greeting");
    await page.keyboard.press("Escape");
    const before = await centre(step(page, "Template"));
    const frame = page.locator(".canvas-note[data-group=true]");
    const box = await frame.boundingBox();
    if (!box) throw new Error("no group");
    // between the name and the button that collapses it
    await page.mouse.move(box.x + box.width * 0.75, box.y + 14);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.75, box.y + 74, { steps: 5 });
    await page.mouse.up();
    await expect
      .poll(async () => Math.round((await centre(step(page, "Template"))).y - before.y))
      .toBeGreaterThan(30);
    await expectAccessible(page);
    await page.keyboard.press("Control+z");
  });

  await test.step("it is saved under a name", async () => {
    await saveAs(page, "By hand");
    await page.goto("/designer/By%20hand");
    await unlock(page);
    // three steps and the frame of the group
    await expect(page.locator(".react-flow__node")).toHaveCount(4);
    await expect(page.getByText("v1")).toBeVisible();
  });
});

test("a reload during a run loses nothing", async ({ page }) => {
  await signIn(page, "/designer");
  await paste(page, {
    nodes: [
      node("Begin", "static_data_provider_module", 0),
      node("Long", "wait_until", 300, { seconds: 8 }),
      node("End", "delay", 600, { seconds: 0 }),
    ],
    connections: [wire("Begin", "Long"), wire("Long", "End")],
  });
  await page.keyboard.press("Control+Enter");
  await expect(outcome(page, "Begin")).toContainText("Success");
  await page.reload();
  await unlock(page);
  await expect(outcome(page, "Begin")).toContainText("Success");
  await expect(status(page)).toContainText("Succeeded");
  await expect(outcome(page, "End")).toContainText("Success");
  await page.getByRole("button", { name: "Log", exact: true }).click();
  await expect(page.getByRole("log", { name: "Log" }).getByText("Workflow finished: SUCCEEDED")).toHaveCount(
    1,
  );
  await status(page).click();
  await expect(page.getByRole("heading", { level: 1, name: "New workflow" })).toBeVisible();
  await expect(page.getByRole("list", { name: "Timeline" }).getByRole("listitem")).toHaveCount(3);
  await expectAccessible(page);
});

test("an approval is given from a phone", async ({ page, browser, baseURL }) => {
  await signIn(page, "/designer");
  await paste(page, {
    nodes: [
      node("Ask", "manual_approval", 0, { title: "Send it?", message: "To 200 customers." }),
      node("Sent", "static_data_provider_module", 300),
      node("Kept", "static_data_provider_module", 300, {}, { y: 300 }),
    ],
    connections: [wire("Ask", "Sent", "approved"), wire("Ask", "Kept", "rejected")],
  });
  await page.keyboard.press("Control+Enter");
  await expect(page.getByRole("dialog", { name: "Send it?" })).toBeVisible();
  await page.keyboard.press("Escape");
  await status(page).click();
  await expect(page).toHaveURL(/\/runs\//);

  const phone = await browser.newContext({
    ...(baseURL ? { baseURL } : {}),
    viewport: { width: 390, height: 844 },
    hasTouch: true,
  });
  const small = await phone.newPage();
  await signIn(small, new URL(page.url()).pathname);
  const card = small.getByRole("region", { name: "Send it?" });
  await expect(card).toContainText("To 200 customers.");
  await expectAccessible(small);
  const over = await small.getByRole("main").evaluate((main) => main.scrollWidth - main.clientWidth);
  expect(over, "pixels wider than the phone").toBeLessThanOrEqual(0);
  await card.getByLabel("Comment").fill("Looks good");
  await card.getByRole("button", { name: "Approve" }).tap();
  await expect(status(small)).toContainText("Succeeded");
  await expect(status(page)).toContainText("Succeeded");
  await expect(page.getByRole("status").filter({ hasText: /Approved by 0x/ })).toBeVisible();
  await phone.close();
});

test("everything can be done without a mouse, in the list", async ({ page }) => {
  await signIn(page, "/designer");
  await expect(page.getByRole("button", { name: "Delay", exact: true })).toBeVisible();
  for (const name of ["static data", "delay"]) {
    await page.keyboard.press("n");
    await page.getByRole("combobox").fill(name);
    await page.keyboard.press("Enter");
    await expect(page.getByRole("dialog")).toBeHidden();
  }
  await page.keyboard.press("l");
  const list = page.getByRole("complementary", { name: "Steps as a list" });
  await expectAccessible(page);
  await list.getByRole("button", { name: "Delete the connection from Static data to Delay" }).press("Enter");
  await expect(page.locator(".react-flow__edge")).toHaveCount(0);
  await list.getByRole("button", { name: "Connect Static data" }).press("Enter");
  await list.getByRole("button", { name: "Connect", exact: true }).press("Enter");
  await expect(page.locator(".react-flow__edge")).toHaveCount(1);
  await list.getByRole("button", { name: "Open Delay" }).press("Enter");
  await page.getByRole("dialog").getByRole("textbox", { name: "Seconds" }).fill("0");
  await page.keyboard.press("Escape");
  await page.keyboard.press("Control+k");
  await page.getByRole("combobox").fill("Simulate");
  await page.keyboard.press("Enter");
  await expect(status(page)).toContainText("Succeeded");
  await list.getByRole("button", { name: "Delete Delay" }).press("Enter");
  await expect(page.locator(".react-flow__node")).toHaveCount(1);
});

test("a sheet of a phone's height is closed from wherever it is read", async ({ page }) => {
  await signIn(page, "/designer");
  await page.setViewportSize({ width: 390, height: 844 });
  await page.getByRole("button", { name: "Keys and gestures" }).click();
  const sheet = page.getByRole("dialog", { name: "Keys and gestures" });
  await sheet.evaluate((dialog) => dialog.scrollTo(0, dialog.scrollHeight));
  await expect(sheet.getByRole("button", { name: "Close" })).toBeInViewport({ ratio: 1 });
  await expectAccessible(page);
  await sheet.getByRole("button", { name: "Close" }).click();
  await expect(sheet).toBeHidden();
  await page.keyboard.press("Control+k");
  await page.keyboard.type("Simulate");
  await expect(page.getByRole("combobox")).toHaveValue("Simulate");
  await page.getByRole("dialog").getByRole("button", { name: "Close" }).click();
  await expect(page.getByRole("dialog")).toBeHidden();
  await expect(page.getByRole("button", { name: "Keys and gestures" })).toBeFocused();
});

test("a large workflow is looked at from afar, and its wires end at their ports all the same", async ({
  page,
}) => {
  await signIn(page, "/designer");
  const many = Array.from({ length: 160 }, (_, place) => ({
    ...node(`Step ${place}`, "delay", (place % 25) * 300),
    y: Math.floor(place / 25) * 160,
  }));
  await paste(page, { nodes: many, connections: [wire("Step 30", "Step 31")] });
  await page.keyboard.press("1");
  const one = page.locator('.react-flow__node[aria-label="Step 30"]');
  const ports = page.locator(".react-flow__handle");
  await page.getByRole("region", { name: "Canvas" }).click({ position: { x: 20, y: 20 } });
  await expect(ports).toHaveCount(0);
  await one.hover();
  await expect(one.locator(".react-flow__handle")).toHaveCount(3);
  await page.keyboard.press("Control+f");
  await page.getByRole("combobox").fill("Step 30");
  await page.keyboard.press("Enter");
  await expect(one.getByText("Step 30", { exact: true })).toBeVisible();
  const path = page.locator('.react-flow__edge[aria-label="Step 30 → Step 31"] path').first();
  const apart = async () => {
    const end = await centre(port(page, "Step 30", "source", "success"));
    return Math.abs(((await path.boundingBox())?.x ?? 0) - end.x);
  };
  await expect.poll(apart).toBeLessThan(12); // the view may still move
});

test("what is wrong is said where it is wrong", async ({ page }) => {
  await signIn(page, "/designer");
  await paste(page, {
    nodes: [node("Empty", "template", 0), node("Gone", "no_such_component", 300)],
    connections: [],
  });
  await expect(page.getByText("To fix: 2")).toBeVisible();
  await expect(step(page, "Gone")).toContainText("no_such_component is not installed");
  await open(page, "Empty");
  await expect(page.getByRole("dialog").getByRole("alert")).toHaveText("Field required");
});

test("data stops where one wants to look, and a result can be pinned", async ({ page }) => {
  await signIn(page, "/designer");
  await paste(page, {
    nodes: [
      node("Begin", "static_data_provider_module", 0, {
        variables_to_set: [{ name: "city", value: "Medan" }],
      }),
      node("Middle", "template", 300, { template: "Hello {{ data.city }}" }),
      node("End", "delay", 600, { seconds: 0 }),
    ],
    connections: [wire("Begin", "Middle"), wire("Middle", "End")],
  });
  await page.keyboard.press("l");
  const list = page.getByRole("complementary", { name: "Steps as a list" });
  await list.getByRole("button", { name: "Set a breakpoint from Begin to Middle" }).click();
  await page.keyboard.press("Control+Enter");

  await test.step("the data that waits is looked at, and goes on step by step", async () => {
    await expect(page.getByText("Stopped: 1")).toBeVisible();
    await list.getByRole("button", { name: "Data waits here: look at it" }).click();
    const sheet = page.getByRole("dialog", { name: "Begin → Middle" });
    await expect(sheet).toContainText("Data waits here until you let it go on.");
    await expect(sheet).toContainText("Medan");
    await expectAccessible(page);
    await sheet.getByRole("button", { name: "Step" }).click();
    await expect(outcome(page, "Middle")).toContainText("Success");
    await expect(page.getByText("Stopped: 1")).toBeVisible();
    await page.reload();
    await unlock(page);
    await expect(page.getByText("Stopped: 1")).toBeVisible();
    await page.keyboard.press("F8");
    await expect(status(page)).toContainText("Succeeded");
    await expect(page.getByText("Stopped: 1")).toBeHidden();
  });

  await test.step("a pinned step does not run, its data are what was pinned", async () => {
    await page.keyboard.press("l");
    await list.getByRole("button", { name: "Remove the breakpoint from Begin to Middle" }).click();
    await open(page, "Begin");
    const panel = page.getByRole("dialog", { name: "Begin" });
    await panel.getByRole("button", { name: "Pin this result" }).click();
    await expect(panel).toContainText("Pinned: runs from the designer take this data");
    await panel.getByRole("button", { name: "Change" }).click();
    await panel.getByLabel("Data (JSON)").fill('{"city": "Padang"}');
    await panel.getByRole("button", { name: "Save" }).click();
    await expectAccessible(page);
    await page.keyboard.press("Escape");
    await expect(step(page, "Begin").getByLabel("pinned")).toBeVisible();
    await page.keyboard.press("Control+Enter");
    await expect(status(page)).toContainText("Succeeded");
    await page.getByRole("button", { name: "Look at the data; 1 passed" }).last().click();
    await expect(page.getByRole("dialog")).toContainText("Hello Padang");
    await page.keyboard.press("Escape");
    await step(page, "Begin").click();
    await page.keyboard.press("p");
    await expect(step(page, "Begin").getByLabel("pinned")).toBeHidden();
  });

  await test.step("a run is done again from one of its steps", async () => {
    await status(page).click();
    await expect(page.getByRole("heading", { level: 1, name: "New workflow" })).toBeVisible();
    const before = page.url();
    await page
      .getByRole("list", { name: "Timeline" })
      .getByRole("button", { name: /^Middle/ })
      .click();
    await page.getByRole("button", { name: "Run again from here" }).click();
    await expect(page).not.toHaveURL(before);
    await expect(status(page)).toContainText("Succeeded");
    await page
      .getByRole("list", { name: "Timeline" })
      .getByRole("button", { name: /^Begin/ })
      .click();
    await expect(page.getByText("the step did not run again")).toBeVisible();
  });
});

test("an engine that dies in the middle of a run comes back, and the page misses nothing", async ({
  page,
  request,
}) => {
  await signIn(page, "/designer");
  await paste(page, {
    nodes: [
      node("Begin", "static_data_provider_module", 0),
      node("Long", "wait_until", 300, { seconds: 6 }),
      node("End", "delay", 600, { seconds: 0 }),
    ],
    connections: [wire("Begin", "Long"), wire("Long", "End")],
  });
  await page.keyboard.press("Control+Enter");
  await expect(outcome(page, "Begin")).toContainText("Success");
  const control = process.env.FLOWORK_E2E_CONTROL ?? "";
  expect((await request.post(`${control}/kill`)).ok()).toBe(true);
  await expect(page.getByRole("button", { name: "Test engine offline" })).toBeVisible();
  expect((await request.post(`${control}/start`)).ok()).toBe(true);
  await expect(page.getByRole("button", { name: "Test engine online" })).toBeVisible();
  await expect(status(page)).toContainText("Succeeded");
  await expect(outcome(page, "End")).toContainText("Success");
  await page.getByRole("button", { name: "Log", exact: true }).click();
  const log = page.getByRole("log", { name: "Log" });
  await expect(log.getByText("Workflow finished: SUCCEEDED")).toHaveCount(1);
});
