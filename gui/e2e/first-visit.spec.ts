/** The first hour of a new user: identity, claim, engine, first workflow; and the next day. */

import { expect, test } from "@playwright/test";
import {
  choosePassphrase,
  createKey,
  expectGoodScreen,
  goTo,
  holdBack,
  PASSPHRASE,
  unlock,
  watchComplaints,
} from "./visitor";

const claimLink = process.env.FLOWORK_E2E_CLAIM ?? "";
const socket = process.env.FLOWORK_E2E_SOCKET ?? "";

test("from the claim link to a run, and back the next day", async ({ page }) => {
  const complaints = watchComplaints(page);
  await page.goto(claimLink);
  await expect(page.getByText(/A claim link for engine .* is waiting/)).toBeVisible();
  await expectGoodScreen(page);
  const words = await createKey(page);

  const claim = page.getByRole("dialog", { name: "Claim this engine?" });
  await expect(claim).toBeVisible();
  await expectGoodScreen(page);
  await claim.getByRole("button", { name: "Make it mine" }).click();
  await expect(page.getByText("is yours now.")).toBeVisible();
  expect(new URL(page.url()).hash).toBe("");

  await test.step("the engine is online, and is reached directly once its address is known", async () => {
    const card = page.getByRole("listitem").filter({ hasText: "My engine" });
    await expect(card.getByText("online", { exact: true })).toBeVisible();
    await expect(card.getByText(/^\d+ %$/).first()).toBeVisible();
    await expectGoodScreen(page);
    await card.getByRole("button", { name: "Actions for My engine" }).click();
    await page.getByRole("menuitem", { name: "Direct address" }).click();
    await page.getByLabel("Address of the engine’s socket").fill("ws://engine.example.org");
    await page.getByRole("button", { name: "Save" }).click();
    await expect(page.getByText("Give an address like wss://")).toBeVisible();
    await page.getByLabel("Address of the engine’s socket").fill(socket);
    await page.getByRole("button", { name: "Save" }).click();
    await expect(card.getByText("reached directly")).toBeVisible();
  });

  await test.step("an example becomes a preset and runs", async () => {
    await goTo(page, "Presets");
    await expect(page.getByText("Nothing saved yet")).toBeVisible();
    const show = await holdBack(page, /\/assets\/designer-[^/]*\.js$/);
    await page.getByRole("button", { name: "Use the example Hello", exact: true }).click();
    await expect(page.getByText("Saved as “Hello”.")).toBeVisible();
    // who turns back before the designer is loaded sees what was saved, too
    await goTo(page, "Presets");
    show();
    const card = page
      .getByRole("list", { name: "Saved workflows" })
      .getByRole("listitem")
      .filter({ hasText: "Hello" });
    await expect(card.getByText("1 version")).toBeVisible();
    await expectGoodScreen(page);
    await card.getByRole("button", { name: "Run" }).click();
    await expect(page).toHaveURL(/\/runs\/[\w-]+$/);
    await goTo(page, "Runs");
    const row = page.getByRole("row").filter({ hasText: "Hello" });
    await expect(row.getByText("Succeeded")).toBeVisible();
    await expectGoodScreen(page);
    await page.getByLabel("Status").selectOption({ label: "Failed" });
    await expect(page.getByText("No run fits")).toBeVisible();
  });

  await test.step("a secret is written, and never shown", async () => {
    await goTo(page, "Variables");
    await expectGoodScreen(page);
    await page.getByRole("button", { name: "Add a variable" }).click();
    await page.getByLabel("Name", { exact: true }).fill("api key");
    await page.getByLabel("Value", { exact: true }).fill("hunter-two");
    await page.getByLabel("Secret").click();
    await expectGoodScreen(page);
    await page.getByRole("button", { name: "Save" }).click();
    await expect(page.getByText("secret, kept encrypted")).toBeVisible();
    await page.getByRole("button", { name: "Change API_KEY" }).click();
    await expect(page.getByLabel("Value", { exact: true })).toHaveValue("");
    await page.keyboard.press("Escape");
    await expectGoodScreen(page);
  });

  await test.step("the engine's preferences are kept", async () => {
    await goTo(page, "Settings");
    await page.getByLabel("Run a workflow when another one fails").click();
    await page.getByLabel("Preset to run").selectOption("Hello");
    await page.getByRole("button", { name: "Save" }).click();
    await expect(page.getByText("The preferences are saved.")).toBeVisible();
    await expectGoodScreen(page);
  });

  await test.step("the overview counts the run", async () => {
    await goTo(page, "Overview");
    await expect(page.getByRole("region", { name: "Last 24 hours" }).getByText("100 %")).toBeVisible();
    await expectGoodScreen(page);
  });

  await test.step("the next day the passphrase opens everything", async () => {
    await page.reload();
    await expectGoodScreen(page);
    await page.getByLabel("Passphrase").fill("not this one");
    await page.getByRole("button", { name: "Unlock" }).click();
    await expect(page.getByText("The passphrase is wrong.")).toBeVisible();
    await unlock(page);
    await expect(page.getByRole("heading", { level: 1, name: "Overview" })).toBeVisible();
  });

  await test.step("the key can be taken along, forgotten, and brought back by its words", async () => {
    await goTo(page, "Settings");
    await page.getByRole("button", { name: "Export the key" }).click();
    await page.getByLabel("Passphrase").fill(PASSPHRASE);
    await page.getByRole("button", { name: "Unlock the key" }).click();
    const dialog = page.getByRole("dialog");
    await expect(dialog.getByText("•••")).toBeVisible();
    await dialog.getByRole("button", { name: "Show" }).click();
    await expect(dialog.getByText(/^0x[0-9a-f]{64}$/)).toBeVisible();
    await dialog.getByRole("button", { name: "Done" }).click();
    await page.getByRole("button", { name: "Forget this key" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Forget this key" }).click();
    await page.getByRole("button", { name: "Import a key" }).click();
    await page.getByLabel("Words or private key").fill("twelve wrong words");
    await page.getByRole("button", { name: "Next" }).click();
    await expect(page.getByText("check the spelling")).toBeVisible();
    await page.getByLabel("Words or private key").fill(words.join("  "));
    await page.getByRole("button", { name: "Next" }).click();
    await choosePassphrase(page);
    await goTo(page, "Engines");
    await expect(page.getByRole("heading", { name: "My engine" })).toBeVisible();
  });

  expect(complaints).toEqual([]);
});
