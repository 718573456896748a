/** What every screen has to be for those who see, hear or type in another way. */

import AxeBuilder from "@axe-core/playwright";
import { expect, type Page } from "@playwright/test";

/** The screen can be used by everybody, in light and in dark. */
export async function expectAccessible(page: Page): Promise<void> {
  for (const theme of ["light", "dark"]) {
    await page.evaluate((name) => {
      document.documentElement.dataset.theme = name;
      // colours are judged when they have settled
      return Promise.all(document.getAnimations().map((animation) => animation.finished.catch(() => null)));
    }, theme);
    // no frames of other origins here, for which it would open another page each time
    const axe = new AxeBuilder({ page }).setLegacyMode(true);
    // only the colours differ in the second one
    const { violations } = await (theme === "dark" ? axe.withRules("color-contrast") : axe).analyze();
    const told = violations.map(
      ({ id, nodes }) => `${theme} ${id}: ${nodes.map((node) => node.html).join(" | ")}`,
    );
    expect(told).toEqual([]);
  }
  await page.evaluate(() => {
    document.documentElement.dataset.theme = "light";
  });
}
