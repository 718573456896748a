/** What a workflow of somebody else may say: markup is shown and never run, and nothing of the page leaves it. */

import { expect, test } from "@playwright/test";
import { paste, signIn, status, step } from "./owner";

const MARKUP = `<img src="x" onerror="window.ran='markup'"><script>window.ran='script'</script>`;

declare global {
  interface Window {
    ran?: string;
  }
}

test("markup in names, settings, results and messages is text", async ({ page }) => {
  const refused: string[] = [];
  page.on("console", (line) => line.text().includes("Content Security Policy") && refused.push(line.text()));
  await signIn(page, "/designer");
  const node = (id: string, name: string, module_id: string, x: number, config_values = {}) => ({
    ...{ id, name, module_id, x, y: 100, config_values },
  });
  const variables_to_set = [{ name: "text", value: MARKUP }];
  await paste(page, {
    nodes: [
      node("a", MARKUP, "static_data_provider_module", 0, { variables_to_set }),
      node("b", "Shown", "debug_popup_module", 320, { popup_title: MARKUP, content: "{{ data.text }}" }),
    ],
    connections: [
      { id: "e", source: "a", target: "b", source_port_name: "success", target_port_name: "input" },
    ],
  });
  await expect(step(page, MARKUP)).toBeVisible();
  await page.keyboard.press("Control+Enter");
  const popup = page.getByRole("dialog", { name: MARKUP });
  await expect(popup.getByText(MARKUP).last()).toBeVisible();
  await popup.getByRole("button", { name: "Close", exact: true }).last().click();
  await expect(status(page)).toContainText("Succeeded");
  await page.getByRole("button", { name: "Look at the data; 1 passed" }).first().click();
  await expect(page.getByRole("dialog")).toContainText("onerror");
  expect(await page.evaluate(() => window.ran)).toBeUndefined();
  expect(refused).toEqual([]); // it never became an element, so that the policy had nothing to stop
});

test("a script that got into the page all the same neither runs nor reaches others", async ({ page }) => {
  await signIn(page, "/designer");
  await expect(page.getByRole("button", { name: "Delay", exact: true })).toBeVisible();
  const { inline, code, sent, stored } = await page.evaluate(async (elsewhere) => {
    const script = document.createElement("script");
    script.textContent = "window.ran = 'inline'";
    document.body.append(script);
    const image = document.createElement("div");
    image.innerHTML = "<img src='x' onerror=\"window.ran = 'handler'\">";
    document.body.append(image);
    await new Promise((done) => setTimeout(done, 300));
    const inline = window.ran;
    let code = "refused";
    try {
      code = String(new Function("return 'run'")());
    } catch {
      // as it should be
    }
    const sent = await fetch(elsewhere, { mode: "no-cors" }).then(
      () => "sent",
      () => "refused",
    );
    return { inline, code, sent, stored: JSON.stringify([{ ...localStorage }, { ...sessionStorage }]) };
  }, process.env.FLOWORK_E2E_CONTROL ?? "");
  expect({ inline, code, sent }).toEqual({ inline: undefined, code: "refused", sent: "refused" });
  expect(stored).toContain("flowork.keystore");
  expect(stored).not.toContain((process.env.FLOWORK_E2E_KEY ?? "").replace("0x", ""));
});
