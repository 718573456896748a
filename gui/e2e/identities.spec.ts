/** Other ways in: a wallet of the browser, a damaged link, another language; and engines of one's own. */

import { secp256k1 } from "@noble/curves/secp256k1.js";
import { expect, test } from "@playwright/test";
import { addressOfKey } from "../src/crypto/address";
import { bytesOfHex, textOf } from "../src/crypto/bytes";
import { signText } from "../src/crypto/personal-sign";
import { createKey, expectGoodScreen, goTo, watchComplaints } from "./visitor";

test("a damaged claim link says so, before and after the sign-in", async ({ page }) => {
  await page.goto("/#claim=short");
  await expect(page.getByText("This claim link is damaged.")).toBeVisible();
  await expectGoodScreen(page);
  await page.getByRole("button", { name: "Close" }).click();
  await createKey(page);
  await expect(page.getByRole("heading", { level: 1, name: "Engines" })).toBeVisible();
  await page.evaluate(() => {
    location.hash = "#claim=short&engine=x";
  });
  await expect(page.getByRole("dialog", { name: "A damaged claim link" })).toBeVisible();
  await page.getByRole("dialog").getByRole("button", { name: "Close" }).click();
  await page.evaluate(() => {
    location.hash = "#claim=abcdefgh&engine=no-such-engine";
  });
  await page.getByRole("button", { name: "Make it mine" }).click();
  await expect(page.getByText("The engine was not claimed:")).toBeVisible();
});

test("an engine of one's own is registered, renamed, gets a new token and is deleted", async ({ page }) => {
  const complaints = watchComplaints(page);
  await page.goto("/");
  await createKey(page);
  await expect(page.getByText("No engine yet")).toBeVisible();
  await expectGoodScreen(page);
  await page.getByRole("button", { name: "Register an engine" }).click();
  await page.getByLabel("Name", { exact: true }).fill("Workshop");
  await page.getByRole("dialog").getByRole("button", { name: "Register an engine" }).click();
  const dialog = page.getByRole("dialog", { name: "Start your engine" });
  await expect(dialog.getByText(/FLOWORK_ENGINE_TOKEN=dev_engine_[0-9a-f]{32}/)).toBeVisible();
  await expectGoodScreen(page);
  await dialog.getByRole("button", { name: "I have kept it" }).click();
  const actions = page.getByRole("button", { name: "Actions for Workshop" });
  await actions.click();
  await page.getByRole("menuitem", { name: "Rename" }).click();
  await page.getByLabel("Name", { exact: true }).fill("Kitchen");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByRole("button", { name: "Actions for Kitchen" }).click();
  await page.getByRole("menuitem", { name: "New token" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "New token" }).click();
  await page.getByRole("button", { name: "I have kept it" }).click();
  await page.getByRole("button", { name: "Actions for Kitchen" }).click();
  await page.getByRole("menuitem", { name: "Delete engine" }).click();
  await expectGoodScreen(page);
  await page.getByRole("dialog").getByRole("button", { name: "Delete engine" }).click();
  await expect(page.getByText("No engine yet")).toBeVisible();
  expect(complaints).toEqual([]);
});

test("a wallet of the browser signs once, whatever its spelling of signatures", async ({ page }) => {
  const key = secp256k1.utils.randomSecretKey();
  const address = addressOfKey(key);
  let asked = 0;
  await page.exposeFunction("walletSign", (hex: string) => {
    asked++;
    const signature = signText(key, textOf(bytesOfHex(hex)));
    const v = Number.parseInt(signature.slice(-2), 16) - 27;
    return signature.slice(0, -2) + v.toString(16).padStart(2, "0");
  });
  await page.addInitScript((account) => {
    const request = async ({ method, params }: { method: string; params?: string[] }) => {
      if (method === "eth_requestAccounts") return [account];
      const { walletSign } = window as unknown as { walletSign(hex: string): Promise<string> };
      return walletSign(params?.[0] ?? "");
    };
    const detail = { info: { name: "Test wallet", uuid: "1", icon: "" }, provider: { request } };
    const announce = () => window.dispatchEvent(new CustomEvent("eip6963:announceProvider", { detail }));
    window.addEventListener("eip6963:requestProvider", announce);
  }, address);
  await page.clock.install();
  await page.goto("/");
  await page.getByRole("button", { name: "Use a browser wallet" }).click();
  await expect(page.getByText("The wallet signs once")).toBeVisible();
  await expectGoodScreen(page);
  await page.getByRole("button", { name: "Test wallet" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Engines" })).toBeVisible();
  await goTo(page, "Billing");
  await goTo(page, "Audit");
  await expect(page.getByRole("listitem").filter({ hasText: "First visit" }).first()).toBeVisible();
  expect(asked, "prompts of the wallet").toBe(1);
  await page.clock.fastForward("12:00:01");
  await expect(page.getByText("permission for this page has ended")).toBeVisible();
  await expectGoodScreen(page);
  await page.goto("/nowhere");
  await expect(page.getByText("Sign in with your key")).toBeVisible();
});

test("the page speaks the chosen language and keeps the theme", async ({ page }) => {
  await page.goto("/");
  await page.getByLabel("Language").selectOption("id");
  await expect(page.getByRole("heading", { name: "Masuk dengan kunci Anda" })).toBeVisible();
  await page.getByLabel("Tema").selectOption("dark");
  await page.reload();
  await expect(page.locator("html")).toHaveAttribute("data-theme", "dark");
  await expect(page.locator("html")).toHaveAttribute("lang", "id");
  await expect(page.getByRole("heading", { name: "Masuk dengan kunci Anda" })).toBeVisible();
});
