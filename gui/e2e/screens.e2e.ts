/** The screens around the designer, as the owner of an engine and its visitors use them. */

import { expect, type Page, test } from "@playwright/test";
import { injectWallet, paste, signIn } from "./owner";
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

test("an owner keeps house: guests, triggers, runs done again, the marketplace, billing, the audit log", async ({
  page,
}) => {
  await savePreset(page, "Nightly", GREETING);

  await test.step("somebody else may use the engine, as what the owner signed", async () => {
    await go(page, "Engines");
    await page.getByRole("button", { name: "Actions for Test engine" }).click();
    await page.getByRole("menuitem", { name: "Share" }).click();
    const dialog = page.getByRole("dialog", { name: "Who may use “Test engine”?" });
    await dialog.getByLabel("Address or user name").fill("0x70997970C51812dc3A010C7d01b50e0d17dc79C8");
    await dialog.getByRole("button", { name: "Share the engine" }).click();
    const guest = dialog.getByRole("listitem").filter({ hasText: "0x7099…79C8" });
    await expect(guest.getByLabel("Role of")).toHaveValue("runner");
    await expect(guest.getByText("looks only until you sign")).toHaveCount(0);
    await guest.getByRole("button", { name: "End sharing" }).click();
    await expect(dialog.getByText("Nobody else may use this engine yet.")).toBeVisible();
    await page.keyboard.press("Escape");
  });

  await test.step("a webhook and a schedule start a workflow", async () => {
    await go(page, "Triggers");
    await page.getByRole("button", { name: "Add a trigger" }).click();
    const dialog = page.getByRole("dialog", { name: "Add a trigger" });
    await dialog.getByLabel("Workflow to start").selectOption("Nightly");
    await expect(dialog.getByText(/^Next:/)).toBeVisible();
    await dialog.getByRole("textbox", { name: "Name", exact: true }).fill("At night");
    await dialog.getByRole("button", { name: "Save" }).click();
    await expect(page.getByRole("heading", { name: "Coming up by time" })).toBeVisible();
    await page.getByRole("button", { name: "Add a trigger" }).click();
    await dialog.getByLabel("Workflow to start").selectOption("Nightly");
    await dialog.getByLabel("What fires it").selectOption("webhook");
    await dialog.getByRole("textbox", { name: "Name", exact: true }).fill("Shop");
    await dialog.getByRole("button", { name: "Make a secret" }).click();
    await expect(dialog.getByLabel("Secret", { exact: true })).toHaveValue(/^[0-9a-f]{48}$/);
    await dialog.getByRole("button", { name: "Save" }).click();
    const hook = page.getByRole("listitem").filter({ hasText: "Shop" });
    await expect(hook.locator("code").first()).toContainText("/webhook/Nightly/");
    await expect(hook.getByText("A secret is set, and never shown.")).toBeVisible();
    await hook.getByRole("switch").click();
    await expect(hook.getByRole("switch")).not.toBeChecked();
    await expectGoodScreen(page);
    await page.getByRole("button", { name: "Actions for At night" }).click();
    await page.getByRole("menuitem", { name: "Fire now" }).click();
    await expect(page.getByTestId("run-status")).toContainText("Succeeded");
    await go(page, "Triggers");
    const clock = page.getByRole("listitem").filter({ hasText: "At night" }).first();
    await clock.getByText("Last firings").click();
    await expect(clock.getByText("Succeeded")).toBeVisible();
  });

  await test.step("runs are done again, one and many", async () => {
    await go(page, "Runs");
    await page.getByRole("button", { name: "Actions for the run of Nightly" }).first().click();
    await page.getByRole("menuitem", { name: "Run again as it was" }).click();
    await expect(page.getByTestId("run-status")).toContainText("Succeeded");
    await go(page, "Runs");
    await page.getByRole("button", { name: "Run many again" }).click();
    const dialog = page.getByRole("dialog", { name: "Run many again" });
    await dialog.getByLabel("Status").selectOption("SUCCEEDED");
    await dialog.getByLabel("Preset").selectOption("Nightly");
    await dialog.getByRole("button", { name: "See what would run" }).click();
    await expect(dialog.getByText(/found; \d+ would start/)).toBeVisible();
    await page.keyboard.press("Escape");
  });

  await test.step("a workflow is published, and taken over again", async () => {
    await go(page, "Presets");
    await page.getByRole("button", { name: "Actions for Nightly" }).click();
    await page.getByRole("menuitem", { name: "Publish" }).click();
    await page.getByLabel("What it does, and what it needs").fill("Greets at night.");
    await page.getByRole("button", { name: "Publish" }).click();
    await expect(page.getByText("“Nightly” is published as version 1.")).toBeVisible();
    await page.getByRole("link", { name: "Marketplace" }).click();
    await page.getByRole("button", { name: "Like Nightly; 0 so far", exact: true }).click();
    await expect(page.getByRole("button", { name: "Like Nightly; 1 so far", exact: true })).toBeVisible();
    await page.getByRole("button", { name: "Use a copy of Nightly" }).click();
    await expect(page).toHaveURL(/\/designer\/Nightly%202$/);
  });

  await test.step("billing shows the plan and its use, the audit log what happened", async () => {
    await go(page, "Billing");
    await expect(page.getByRole("region", { name: "Usage of the last 30 days" })).toBeVisible();
    await expect(page.getByText("This gateway limits nobody")).toBeVisible();
    await expectGoodScreen(page);
    await go(page, "Audit");
    await expect(page.getByRole("listitem").filter({ hasText: "Engine shared" }).first()).toBeVisible();
    await page.getByLabel("What happened").selectOption({ label: "Sharing ended" });
    await expect(page.getByRole("list", { name: "Audit" }).getByRole("listitem")).toHaveCount(1);
    const download = page.waitForEvent("download");
    await page.getByRole("button", { name: "Export" }).click();
    expect((await download).suggestedFilename()).toBe("flowork-audit.ndjson");
    await expectGoodScreen(page);
  });
});

test("the owner's browser wallet signs once, and again only for what lasts", async ({ page }) => {
  const prompts = await injectWallet(page);
  await page.goto("/");
  await page.getByRole("button", { name: "Use a browser wallet" }).click();
  await page.getByRole("button", { name: "Owner’s wallet" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Overview" })).toBeVisible();
  for (const place of ["Triggers", "Runs", "Presets"]) await go(page, place);
  const card = page.getByRole("listitem").filter({ hasText: "Nightly" }).first();
  await card.getByRole("button", { name: "Run" }).click();
  await expect(page.getByTestId("run-status")).toContainText("Succeeded");
  expect(prompts()).toHaveLength(1);
  expect(prompts()[0]).toContain("wants you to sign in with your Ethereum account");

  await go(page, "Variables");
  await page.getByRole("button", { name: "Add a variable" }).click();
  await page.getByLabel("Name", { exact: true }).fill("GREETING");
  await page.getByLabel("Value", { exact: true }).fill("Hello");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByText("GREETING", { exact: true })).toBeVisible();
  expect(prompts()).toHaveLength(2);
  expect(prompts()[1]).toMatch(/^flowork_engine\|/);
});
