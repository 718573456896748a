/** The screens around the designer, as the owner of an engine and its visitors use them. */

import { expect, type Page, test } from "@playwright/test";
import { paste, signIn } from "./owner";
import { expectGoodScreen } from "./visitor";

async function savePreset(page: Page, name: string, workflow: object): Promise<void> {
  await signIn(page, "/designer");
  await paste(page, workflow);
  await page.keyboard.press("Control+s");
  const sheet = page.getByRole("dialog", { name: "Save as" });
  await sheet.getByLabel("Name").fill(name);
  await sheet.getByRole("button", { name: "Save" }).click();
  await expect(page.getByText(`${name} is saved as version 1.`)).toBeVisible();
}

/** Go to another screen without loading the page anew. */
async function go(page: Page, place: string): Promise<void> {
  await page.getByRole("navigation", { name: "Places" }).getByRole("link", { name: place }).click();
  await expect(page.getByRole("heading", { level: 1, name: place })).toBeVisible();
}

const GREETING = {
  nodes: [
    {
      id: "a",
      name: "Who",
      module_id: "static_data_provider_module",
      x: 0,
      y: 100,
      config_values: { variables_to_set: [{ name: "city", value: "Bandung" }] },
    },
    { id: "b", name: "Wait", module_id: "delay", x: 300, y: 100, config_values: { seconds: 0 } },
  ],
  connections: [
    { id: "ab", source: "a", target: "b", source_port_name: "success", target_port_name: "input" },
  ],
};

test("an owner shares a workflow by link, and a stranger does with it what the link allows", async ({
  page,
  browser,
  baseURL,
}) => {
  await savePreset(page, "Greeting", GREETING);
  await go(page, "Presets");
  await page.getByRole("button", { name: "Favourite: Greeting" }).click();
  await expect(page.getByRole("button", { name: "Favourite: Greeting" })).toHaveAttribute(
    "aria-pressed",
    "true",
  );
  await page.getByRole("button", { name: "Actions for Greeting" }).click();
  await page.getByRole("menuitem", { name: "Share" }).click();
  const dialog = page.getByRole("dialog", { name: "Share “Greeting”" });
  await dialog.getByLabel("Name of the link").fill("For Ana");
  await dialog.getByLabel("People with the link may").selectOption({ label: "look at it and run it" });
  await dialog.getByRole("button", { name: "Make a link" }).click();
  const item = dialog.getByRole("listitem").filter({ hasText: "For Ana" });
  const url = (await item.locator("code").textContent()) ?? "";
  await expect(item.getByText("unsigned")).toHaveCount(0);
  await expectGoodScreen(page);

  const stranger = await (await browser.newContext(baseURL ? { baseURL } : {})).newPage();
  await stranger.goto(new URL(url).pathname);
  await expect(stranger.getByRole("heading", { level: 1, name: "Greeting" })).toBeVisible();
  await expect(stranger.getByText("You may look at it and run it")).toBeVisible();
  await expect(stranger.locator(".react-flow__node")).toHaveCount(2);
  await expect(stranger.getByRole("button", { name: "Save" })).toHaveCount(0);
  await stranger.getByRole("button", { name: "Run" }).click();
  const run = stranger.getByRole("region", { name: "Your run" });
  await expect(run.getByText("Succeeded")).toBeVisible();
  await expectGoodScreen(stranger);

  await item.getByRole("button", { name: "End sharing: For Ana" }).click();
  await expect(dialog.getByText("No links yet.")).toBeVisible();
  await stranger.reload();
  await expect(stranger.getByRole("heading", { name: "This link leads nowhere" })).toBeVisible();
  await stranger.close();
});
