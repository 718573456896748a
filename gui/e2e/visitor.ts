/** What a visitor of the page does, and what every screen has to be. */

import { expect, type Page } from "@playwright/test";
import { expectAccessible } from "./accessible";

export const PASSPHRASE = "correct horse battery";
const PHONE = { width: 390, height: 844 };
const DESK = { width: 1440, height: 900 };

/** Collect what the page complains about; sockets that are not there are no fault of the page. */
export function watchComplaints(page: Page): string[] {
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("console", (message) => {
    if (message.type() === "error" && !/WebSocket connection to/.test(message.text())) {
      complaints.push(message.text());
    }
  });
  return complaints;
}

/** Go from the welcome to a key that is kept under the passphrase; returns its twelve words. */
export async function createKey(page: Page): Promise<string[]> {
  await page.getByRole("button", { name: "Create a key" }).click();
  const list = page.getByRole("list", { name: "Twelve words" });
  const words = await list.locator("li span:last-child").allTextContents();
  expect(words).toHaveLength(12);
  await page.getByRole("button", { name: "I have written them down" }).click();
  const fields = page.getByLabel(/^Word \d+$/);
  await expect(fields).toHaveCount(2);
  await fields.first().fill("zzz");
  await fields.last().fill("zzz");
  await page.getByRole("button", { name: "Next" }).click();
  await expect(page.getByText("This is not the word in this place.")).toHaveCount(2);
  for (const label of await page.locator("label", { hasText: /^Word \d+$/ }).allTextContents()) {
    await page.getByLabel(label, { exact: true }).fill(words[Number(label.slice(5)) - 1] ?? "");
  }
  await page.getByRole("button", { name: "Next" }).click();
  await choosePassphrase(page);
  return words;
}

export async function choosePassphrase(page: Page): Promise<void> {
  await page.getByLabel("Passphrase", { exact: true }).fill(PASSPHRASE);
  await page.getByLabel("Passphrase again").fill("something else");
  await expect(page.getByText("The two are not the same.")).toBeVisible();
  await page.getByLabel("Passphrase again").fill(PASSPHRASE);
  await page.getByRole("button", { name: "Keep the key and sign in" }).click();
}

export async function unlock(page: Page): Promise<void> {
  await page.getByLabel("Passphrase").fill(PASSPHRASE);
  await page.getByRole("button", { name: "Unlock" }).click();
}

export async function goTo(page: Page, place: string): Promise<void> {
  await page.getByRole("navigation", { name: "Places" }).getByRole("link", { name: place }).click();
  await expect(page.getByRole("heading", { level: 1, name: place })).toBeVisible();
}

/** Let files of the page arrive only when the returned function is called, as over a slow line. */
export async function holdBack(page: Page, files: RegExp): Promise<() => void> {
  let go = () => {};
  const gate = new Promise<void>((resolve) => {
    go = resolve;
  });
  await page.route(files, async (route) => {
    await gate;
    await route.continue();
  });
  return go;
}

/** A screen is readable by everybody, in light and dark, and fits a phone. */
export async function expectGoodScreen(page: Page): Promise<void> {
  await expectAccessible(page);
  await page.setViewportSize(PHONE);
  const over = await page.evaluate(() => {
    const main = document.querySelector("main") ?? document.body;
    return Math.max(main.scrollWidth - main.clientWidth, document.documentElement.scrollWidth - innerWidth);
  });
  expect(over, "pixels wider than a phone").toBeLessThanOrEqual(0);
  await page.setViewportSize(DESK);
}
