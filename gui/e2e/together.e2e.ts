/** Several people at one workflow: they see each other, get what the others save, and lose nothing. */

import { type Browser, expect, type Locator, type Page, test } from "@playwright/test";
import { expectAccessible } from "./accessible";
import { open, paste, signIn, step } from "./owner";

const node = (id: string, name: string, x: number) => ({
  id,
  name,
  module_id: "delay",
  x,
  y: 100,
  config_values: { seconds: 0 },
});

async function rename(at: Page, from: string, to: string): Promise<void> {
  await step(at, from).click();
  await at.keyboard.press("F2");
  await at.getByRole("textbox", { name: "Name" }).fill(to);
  await at.keyboard.press("Enter");
  await expect(step(at, to)).toBeVisible();
}

async function save(at: Page, version: number): Promise<void> {
  await at.keyboard.press("Control+s");
  await expect(at.getByText(`Shared work is saved as version ${version}.`)).toBeVisible();
}

const opened = async (browser: Browser, baseURL: string | undefined): Promise<Page> =>
  (await browser.newContext(baseURL ? { baseURL } : {})).newPage();
const others = (at: Page): Locator => at.getByRole("list", { name: "Also here" }).getByRole("listitem");
/** The frame around a step that somebody else has chosen. */
const frame = (at: Page, name: string): Locator => step(at, name).locator(".other-frame");

test("two people and a visitor edit one workflow, see each other and lose nothing", async ({
  page,
  browser,
  baseURL,
}) => {
  await signIn(page, "/designer");
  await paste(page, { nodes: [node("a", "One", 0), node("b", "Two", 300)], connections: [] });
  await page.keyboard.press("Control+s");
  const sheet = page.getByRole("dialog", { name: "Save as" });
  await sheet.getByLabel("Name").fill("Shared work");
  await sheet.getByRole("button", { name: "Save" }).click();
  await expect(page.getByText("Shared work is saved as version 1.")).toBeVisible();
  await expect(others(page)).toHaveCount(0);

  const other = await opened(browser, baseURL);
  await signIn(other, "/designer/Shared%20work");

  await test.step("each sees that the other is there, and what is chosen", async () => {
    await expect(others(page)).toHaveCount(1);
    await expect(others(other)).toHaveCount(1);
    await step(other, "Two").click();
    await expect(frame(page, "Two")).toBeVisible();
    await expect(frame(page, "One")).toHaveCount(0);
  });

  await test.step("what one saves arrives under the unsaved work of the other", async () => {
    await rename(page, "Two", "Second");
    await rename(other, "One", "First");
    await save(other, 2);
    await expect(step(page, "First")).toBeVisible();
    await expect(step(page, "Second")).toBeVisible();
    await save(page, 3);
    await expect(step(other, "Second")).toBeVisible();
  });

  await test.step("what both changed is asked about before it is saved", async () => {
    await rename(page, "First", "Mine");
    await rename(other, "First", "Theirs");
    await save(other, 4);
    await expect(page.getByText(/changed the same as you, in places: 1/)).toBeVisible();
    await expect(step(page, "Mine")).toBeVisible();
    await page.keyboard.press("Control+s");
    const dialog = page.getByRole("dialog", { name: "Both of you changed this" });
    await expect(dialog).toContainText("Theirs");
    await expectAccessible(page);
    await dialog.getByRole("button", { name: "Take theirs", exact: true }).click();
    await expect(dialog).toBeHidden();
    await expect(step(page, "Theirs")).toBeVisible();
    await page.keyboard.press("Control+z");
    await expect(step(page, "Mine")).toBeVisible();
    await save(page, 5);
    await expect(step(other, "Mine")).toBeVisible();
  });

  await test.step("a visitor who may edit has the palette and the forms", async () => {
    await page.getByRole("button", { name: "Share", exact: true }).click();
    const dialog = page.getByRole("dialog", { name: "Share “Shared work”" });
    await dialog.getByLabel("People with the link may").selectOption({ label: "look, change and run it" });
    await dialog.getByRole("button", { name: "Make a link" }).click();
    const url = (await dialog.getByRole("listitem").locator("code").textContent()) ?? "";
    await expect(dialog.getByText("unsigned")).toHaveCount(0);
    await page.keyboard.press("Escape");

    const visitor = await opened(browser, baseURL);
    await visitor.goto(new URL(url).pathname);
    await expect(others(visitor)).toHaveCount(2);
    await expect(page.getByRole("button", { name: "Visitor has this workflow open" })).toBeVisible();
    await visitor.getByRole("button", { name: "Static data", exact: true }).click();
    await open(visitor, "Static data");
    const panel = visitor.getByRole("dialog", { name: "Static data" });
    await panel.getByRole("button", { name: "Add a row" }).click();
    await panel.getByLabel("Name 1 of Values").fill("city");
    await visitor.keyboard.press("Escape");
    await expectAccessible(visitor);
    await visitor.getByRole("button", { name: "Save", exact: true }).click();
    await expect(step(page, "Static data")).toBeVisible();
    await visitor.getByRole("button", { name: "Run", exact: true }).click();
    await expect(visitor.getByRole("region", { name: "Your run" }).getByText("Succeeded")).toBeVisible();
    await visitor.close();
    await expect(others(page)).toHaveCount(1);
  });

  await test.step("versions are compared, and an old one is brought back for both", async () => {
    await page.getByRole("button", { name: "More", exact: true }).click();
    await page.getByRole("menuitem", { name: "Versions" }).click();
    const versions = page.getByRole("dialog", { name: "Versions" });
    const row = (version: string) => versions.getByRole("listitem").filter({ hasText: version });
    await row("v3").getByRole("button", { name: "Changes" }).click();
    await expect(versions.getByText("Second").first()).toBeVisible();
    await expect(versions.getByRole("img", { name: "added: 0, removed: 0, changed: 1" })).toBeVisible();
    await expectAccessible(page);
    await row("v1").getByRole("button", { name: "Restore" }).click();
    await expect(page.getByText("Version 1 is the newest again.")).toBeVisible();
    await page.keyboard.press("Escape");
    await expect(step(page, "One")).toBeVisible();
    await expect(step(other, "One")).toBeVisible();
  });

  await other.close();
  await expect(others(page)).toHaveCount(0);
});
