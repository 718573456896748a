/** How soon a stranger can use the first page, and how much script that takes. A measurement, no test. */

import { writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { type Browser, expect, test } from "@playwright/test";

const LOADS = Number(process.env.FLOWORK_MEASURE_LOADS ?? 5);

interface Load {
  /** From the start of the navigation until something can be pressed, in milliseconds. */
  readyMs: number;
  scriptBytes: number;
  scripts: number;
}

/** Open the page with an empty cache. */
async function load(browser: Browser): Promise<Load> {
  const context = await browser.newContext();
  const page = await context.newPage();
  const bodies: Promise<Buffer>[] = [];
  page.on("response", (response) => {
    if (response.request().resourceType() === "script") bodies.push(response.body());
  });
  await page.addInitScript(() => {
    const look = () => {
      const button = document.querySelector("#root button:not([disabled])");
      if (button?.getBoundingClientRect().height)
        (window as { readyAt?: number }).readyAt = performance.now();
      else requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  });
  await page.goto("/");
  await expect(page.locator("#root button:not([disabled])").first()).toBeVisible();
  const ready = await page.waitForFunction(() => (window as { readyAt?: number }).readyAt);
  const readyMs = Math.round((await ready.jsonValue()) ?? 0);
  const sizes = (await Promise.all(bodies)).map((body) => gzipSync(body, { level: 6 }).length);
  await context.close();
  return { readyMs, scriptBytes: sizes.reduce((sum, size) => sum + size, 0), scripts: sizes.length };
}

test("the first page", async ({ browser }) => {
  const loads: Load[] = [];
  for (let turn = 0; turn < LOADS; turn++) loads.push(await load(browser));
  const report = { browser: browser.version(), loads };
  console.log(JSON.stringify(report));
  if (process.env.FLOWORK_MEASURE_FILE)
    writeFileSync(process.env.FLOWORK_MEASURE_FILE, `${JSON.stringify(report, null, 2)}\n`);
});
