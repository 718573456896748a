/** Takes the pictures of the README anew. No test: it writes into docs/images. */

import { expect, type Page, test } from "@playwright/test";
import { paste, signIn, status } from "./owner";

const FOLDER = process.env.FLOWORK_PICTURES ?? "../docs/images";

const node = (
  id: string,
  name: string,
  module_id: string,
  x: number,
  y: number,
  config_values = {},
  more = {},
) => ({
  id,
  name,
  module_id,
  x,
  y,
  config_values,
  ...more,
});
const wire = (source: string, target: string, source_port_name = "success") => ({
  id: `edge-${source}-${target}`,
  source,
  target,
  source_port_name,
  target_port_name: "input",
});

const ORDERS = [
  { id: 1, city: "Medan", total: 120 },
  { id: 2, city: "Bandung", total: 40 },
  { id: 3, city: "Padang", total: 310 },
];

const workflow = {
  nodes: [
    node("orders", "New orders", "static_data_provider_module", 0, 20, {
      variables_to_set: [{ name: "orders", value: ORDERS }],
    }),
    node("large", "Any large one?", "switch", 320, 20, {
      value: "{{ length(data.orders[?total > `100`]) }}",
      rules: [
        { port: "several", operator: ">", right: 1 },
        { port: "one", operator: "==", right: 1 },
      ],
    }),
    node("each", "Each order", "for_each", 640, 20, { items: "{{ data.orders }}" }),
    node(
      "line",
      "Write a line",
      "set_fields",
      660,
      260,
      { fields: [{ name: "line", value: "{{ data.item.city }}: {{ data.item.total }}" }] },
      { parent_id: "each" },
    ),
    node(
      "check",
      "Worth a look?",
      "if_condition",
      960,
      260,
      { left: "{{ data.item.total }}", operator: ">", right: 100 },
      { parent_id: "each" },
    ),
    node("report", "Report", "template", 960, 20, { template: "{{ data.count }} orders were looked at." }),
    node("rest", "Wait a moment", "wait_until", 1280, 20, { seconds: 1 }),
    node("nothing", "Nothing to do", "delay", 640, 480, { seconds: 0 }),
  ],
  connections: [
    wire("orders", "large"),
    wire("large", "each", "several"),
    wire("large", "nothing", "otherwise"),
    wire("each", "report"),
    wire("line", "check"),
    wire("report", "rest"),
  ],
};

async function picture(page: Page, name: string): Promise<void> {
  await page.mouse.move(2, 2);
  await page.evaluate(() => document.fonts.ready);
  await page.screenshot({ path: `${FOLDER}/${name}.png`, animations: "disabled", scale: "css" });
}

test("the pictures of the README", async ({ page }) => {
  await page.setViewportSize({ width: 1280, height: 760 });
  await signIn(page, "/designer");
  await paste(page, workflow);
  await page.keyboard.press("Control+s");
  const sheet = page.getByRole("dialog", { name: "Save as" });
  await sheet.getByLabel("Name").fill("Daily orders");
  await sheet.getByRole("button", { name: "Save" }).click();
  await expect(page.getByText("v1")).toBeVisible();
  for (let turn = 0; turn < 3; turn++) {
    await page.keyboard.press("Control+Enter");
    await expect(status(page)).toContainText("Running");
    await expect(status(page)).toContainText("Succeeded");
  }
  await page.getByRole("button", { name: "Components", exact: true }).click();
  await page.getByRole("region", { name: "Canvas" }).click({ position: { x: 12, y: 12 } });
  await page.keyboard.press("1");
  await expect(page.getByRole("log", { name: "Messages" }).locator(".toast")).toHaveCount(0);
  await picture(page, "designer");

  await status(page).click();
  await expect(page.getByRole("list", { name: "Timeline" }).getByRole("listitem").first()).toBeVisible();
  await picture(page, "run");

  await page.getByRole("link", { name: "Overview" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
  await expect(page.getByRole("region", { name: "Last 24 hours" })).toBeVisible();
  await picture(page, "dashboard");
});
