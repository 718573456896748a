/** What the owner of an engine does on the page of the designer. */

import { expect, type Locator, type Page } from "@playwright/test";
import { gcm } from "@noble/ciphers/aes.js";
import { scrypt } from "@noble/hashes/scrypt.js";
import { bytesOfHex, hexOf, randomHex, utf8 } from "@/crypto/bytes";
import type { StoredKey } from "@/wallet/keystore";
import { KeySigner } from "@/wallet/signer";

const PASSPHRASE = "correct horse battery";
const KEY = bytesOfHex(process.env.FLOWORK_E2E_KEY ?? "");
/** Far too cheap for a key that is worth something; the visitors' tests pay the whole price. */
const CHEAP = { N: 2, r: 8, p: 1 };

function storedKey(): StoredKey {
  const { address } = new KeySigner(KEY);
  const kdf = { name: "scrypt", salt: randomHex(32), ...CHEAP } as const;
  const secret = scrypt(utf8(PASSPHRASE), bytesOfHex(kdf.salt), { ...CHEAP, dkLen: 32 });
  const nonce = randomHex(12);
  const text = hexOf(gcm(secret, bytesOfHex(nonce), utf8(address.toLowerCase())).encrypt(KEY));
  return { version: 1, address, kdf, cipher: { name: "aes-256-gcm", nonce, text } };
}

/** Open a page as the engine's owner, whose encrypted key this browser has. */
export async function signIn(page: Page, path: string): Promise<void> {
  const stored = JSON.stringify(storedKey());
  await page.addInitScript((text) => localStorage.setItem("flowork.keystore", text), stored);
  await page.goto(path);
  await unlock(page);
}

/** Give the page a browser wallet that holds the owner's key; returns what it was asked to sign so far. */
export async function injectWallet(page: Page): Promise<() => string[]> {
  const owner = new KeySigner(KEY);
  const asked: string[] = [];
  await page.exposeFunction("walletSign", (hex: string) => {
    const text = new TextDecoder().decode(bytesOfHex(hex));
    asked.push(text);
    return owner.sign(text);
  });
  await page.addInitScript((account) => {
    const request = async ({ method, params }: { method: string; params?: string[] }) => {
      if (method === "eth_requestAccounts") return [account];
      const { walletSign } = window as unknown as { walletSign(hex: string): Promise<string> };
      return walletSign(params?.[0] ?? "");
    };
    const detail = { info: { name: "Owner’s wallet", uuid: "2", icon: "" }, provider: { request } };
    window.addEventListener("eip6963:requestProvider", () =>
      window.dispatchEvent(new CustomEvent("eip6963:announceProvider", { detail })),
    );
  }, owner.address);
  return () => asked;
}

export async function unlock(page: Page): Promise<void> {
  await page.getByLabel("Passphrase").fill(PASSPHRASE);
  await page.getByRole("button", { name: "Unlock" }).click();
}

export const step = (page: Page, name: string): Locator =>
  page.locator(".react-flow__node").filter({ has: page.getByText(name, { exact: true }).first() });

/** Wait until something stands where it stood for a while: the view moves to a step that was just added. */
async function still(what: Locator): Promise<void> {
  let [before, times] = ["", 0];
  const stays = async () => {
    const now = JSON.stringify(await what.boundingBox());
    times = now === before ? times + 1 : 0;
    before = now;
    return times;
  };
  await expect.poll(stays, { intervals: [100] }).toBeGreaterThanOrEqual(3);
}

/** Open a step's settings. */
export async function open(page: Page, name: string): Promise<void> {
  await still(step(page, name));
  await step(page, name).dblclick();
}

/** How a step fared in the run. */
export const outcome = (page: Page, name: string): Locator => step(page, name).locator(".step-foot");

export const port = (page: Page, name: string, side: "source" | "target", label: string): Locator =>
  step(page, name).locator(`.react-flow__handle.${side}[data-handleid="${label}"]`);

export async function drag(page: Page, from: Locator, to: { x: number; y: number }): Promise<void> {
  await still(from);
  const box = await from.boundingBox();
  if (!box) throw new Error("what is to be dragged is not shown");
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  await page.mouse.down();
  await page.mouse.move((box.x + to.x) / 2, (box.y + to.y) / 2, { steps: 5 });
  await page.mouse.move(to.x, to.y, { steps: 5 });
  await page.mouse.up();
}

export async function centre(of: Locator): Promise<{ x: number; y: number }> {
  const box = await of.boundingBox();
  if (!box) throw new Error("what is aimed at is not shown");
  return { x: box.x + box.width / 2, y: box.y + box.height / 2 };
}

/** Put a workflow on the canvas as a person does who has it as text. */
export async function paste(page: Page, workflow: object): Promise<void> {
  await expect(page.getByRole("button", { name: "Delay", exact: true })).toBeVisible();
  await page.evaluate((text) => {
    const data = new DataTransfer();
    data.setData("text/plain", text);
    document.body.dispatchEvent(
      new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }),
    );
  }, JSON.stringify(workflow));
}

export const status = (page: Page): Locator => page.getByTestId("run-status");
