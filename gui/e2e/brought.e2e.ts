/** Workflows of other tools run here, pasted as they were exported, and give what they gave there. */

import { expect, type Page, test } from "@playwright/test";
import { open, outcome, paste, signIn, status } from "./owner";

const to = (...names: string[]) => names.map((node) => ({ node, type: "main", index: 0 }));
const n8n = (name: string, type: string, x: number, y: number, parameters = {}) => ({
  id: name,
  name,
  type: `n8n-nodes-base.${type}`,
  typeVersion: type === "manualTrigger" ? 1 : type === "if" ? 2.2 : type === "set" ? 3.4 : 2,
  position: [x, y],
  parameters,
});
const field = (name: string, value: unknown, type: string) => ({ id: name, name, value, type });

const OF_N8N = {
  name: "Guests",
  nodes: [
    n8n("When clicking", "manualTrigger", 0, 0),
    n8n("Guests", "set", 220, 0, {
      assignments: {
        assignments: [field("city", "Bandung", "string"), field("people", 12, "number")],
      },
      options: {},
    }),
    n8n("Many?", "if", 440, 0, {
      conditions: {
        options: { caseSensitive: true, typeValidation: "strict", version: 2 },
        combinator: "and",
        conditions: [
          {
            id: "c",
            leftValue: "={{ $json.people }}",
            rightValue: 10,
            operator: { type: "number", operation: "gt" },
          },
        ],
      },
      options: {},
    }),
    n8n("Say it", "code", 660, -80, {
      jsCode:
        "const guests = $input.first().json;\nreturn [{ json: { text: `${guests.people * 2} chairs for ${guests.city}` } }];",
    }),
    n8n("Done", "noOp", 880, -80),
    n8n("Few", "noOp", 660, 80),
  ],
  connections: {
    "When clicking": { main: [to("Guests")] },
    Guests: { main: [to("Many?")] },
    "Many?": { main: [to("Say it"), to("Few")] },
    "Say it": { main: [to("Done")] },
  },
  pinData: {},
  settings: { executionOrder: "v1" },
};

const red = (id: string, type: string, x: number, wires: string[][], more = {}) => ({
  id,
  type,
  z: "tab",
  name: id,
  x,
  y: 80,
  wires,
  ...more,
});
/** Asks a server of this machine for the weather. */
const ofNodeRed = (address: string) => [
  { id: "tab", type: "tab", label: "Garden", disabled: false, info: "" },
  red("Start", "inject", 100, [["Ask"]], { payload: '{"city":"Medan"}', payloadType: "json", topic: "" }),
  red("Ask", "http request", 260, [["Make"]], {
    method: "GET",
    ret: "obj",
    url: `${address}/weather?city={{payload.city}}`,
  }),
  red("Make", "change", 420, [["Way"]], {
    rules: [{ t: "set", p: "payload", pt: "msg", to: "payload.main", tot: "msg" }],
  }),
  red("Way", "switch", 580, [["Hot"], ["Cold"]], {
    property: "payload.temp",
    propertyType: "msg",
    rules: [{ t: "gt", v: "30", vt: "num" }, { t: "else" }],
    checkall: "false",
  }),
  red("Hot", "function", 740, [["Show"]], {
    func: "msg.payload = `Water it: ${msg.payload.temp} degrees in ${msg.payload.city}`;\nreturn msg;",
    outputs: 1,
  }),
  red("Cold", "debug", 740, [], { complete: "payload", targetType: "msg" }),
  red("Show", "debug", 900, [], { complete: "payload", targetType: "msg" }),
];

async function bring(page: Page, workflow: object): Promise<void> {
  await page.keyboard.press("Control+a");
  await page.keyboard.press("Delete");
  await paste(page, workflow);
  const report = page.getByRole("dialog", { name: /^Brought over from/ });
  await report.getByRole("button", { name: "Close", exact: true }).last().click();
  await expect(report).toBeHidden();
}

test("workflows of n8n and Node-RED run as they did there", async ({ page }) => {
  await signIn(page, "/designer");
  await test.step("n8n: manual trigger, set, if, code", async () => {
    await bring(page, OF_N8N);
    await expect(page.locator(".react-flow__node")).toHaveCount(6);
    await page.keyboard.press("Control+Enter");
    await expect(status(page)).toContainText("Succeeded");
    await expect(outcome(page, "Few")).toHaveCount(0);
    await open(page, "Done");
    await expect(page.getByRole("region", { name: "Input" })).toContainText("24 chairs for Bandung");
    await page.keyboard.press("Escape");
  });
  await test.step("Node-RED: inject, http request, change, switch, function, debug", async () => {
    await bring(page, ofNodeRed(process.env.FLOWORK_E2E_CONTROL ?? ""));
    await expect(page.locator(".react-flow__node")).toHaveCount(7);
    await page.keyboard.press("Control+Enter");
    const shown = page.getByRole("dialog", { name: "Show" });
    await expect(shown).toContainText("Water it: 34 degrees in Medan");
    await shown.getByRole("button", { name: "Close", exact: true }).last().click();
    await expect(status(page)).toContainText("Succeeded");
    await expect(outcome(page, "Cold")).toHaveCount(0);
  });
});
