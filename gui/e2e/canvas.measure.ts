/** How fluid the canvas is with many steps while it is panned, zoomed and a step is dragged. A measurement, no test. */

import { writeFileSync } from "node:fs";
import { type Page, test } from "@playwright/test";
import { paste, signIn } from "./owner";

const STEPS = Number(process.env.FLOWORK_MEASURE_STEPS ?? 500);
const COLUMNS = 25;
const FRAMES = Number(process.env.FLOWORK_MEASURE_FRAMES ?? 90);

/** A grid of steps, each connected to the next of its row and, here and there, to the row below. */
function grid(count: number): object {
  const nodes = Array.from({ length: count }, (_, place) => ({
    id: `n${place}`,
    name: `Step ${place}`,
    module_id: place % 3 ? "delay" : "static_data_provider_module",
    x: (place % COLUMNS) * 300,
    y: Math.floor(place / COLUMNS) * 160,
    config_values: {},
  }));
  const connections = nodes.flatMap((_, place) => {
    const right = place % COLUMNS === COLUMNS - 1 ? [] : [place + 1];
    const below = place % 5 === 0 && place + COLUMNS < count ? [place + COLUMNS] : [];
    return [...right, ...below].map((to) => ({
      id: `e${place}-${to}`,
      source: `n${place}`,
      target: `n${to}`,
      source_port_name: "success",
      target_port_name: "input",
    }));
  });
  return { nodes, connections };
}

interface Figures {
  frames: number;
  /** Frames a second, as this machine managed them now. */
  fps: number;
  p95Ms: number;
  /** The page's own work for a frame, in milliseconds of its thread, whoever else keeps the machine busy. */
  workMs: number;
  scriptMs: number;
  styleMs: number;
  layoutMs: number;
}

const WORK = ["TaskDuration", "ScriptDuration", "RecalcStyleDuration", "LayoutDuration"] as const;

/** Send an event to the canvas with each frame, and see what each frame cost. */
async function during(page: Page, act: "pan" | "zoom" | "drag"): Promise<Figures> {
  const session = await page.context().newCDPSession(page);
  await session.send("Performance.enable", { timeDomain: "threadTicks" });
  const read = async () => {
    const { metrics } = await session.send("Performance.getMetrics");
    return WORK.map((name) => metrics.find((metric) => metric.name === name)?.value ?? 0);
  };
  const before = await read();
  const times = await page.evaluate(
    ([kind, count]) =>
      new Promise<number[]>((resolve) => {
        const found: number[] = [];
        const pane = document.querySelector(".react-flow__pane") as Element;
        const node = document.querySelector('.react-flow__node[aria-label="Step 262"] .step') as Element;
        const { x, y, width, height } = (kind === "drag" ? node : pane).getBoundingClientRect();
        const from = { clientX: x + width / 2, clientY: y + height / 2 };
        const common = { bubbles: true, cancelable: true, view: window, button: 0 };
        const tick = (now: number) => {
          found.push(now);
          const turn = found.length;
          if (kind === "drag") {
            const at = { clientX: from.clientX + turn, clientY: from.clientY + 20 * Math.sin(turn / 10) };
            if (turn === 1) node.dispatchEvent(new MouseEvent("mousedown", { ...common, ...from }));
            window.dispatchEvent(new MouseEvent("mousemove", { ...common, ...at }));
          } else {
            const pan = { deltaX: 12 * Math.cos(turn / 12), deltaY: 12 * Math.sin(turn / 12) };
            const zoom = { deltaY: turn % 50 < 25 ? -6 : 6, ctrlKey: true };
            const how = kind === "pan" ? pan : zoom;
            pane.dispatchEvent(new WheelEvent("wheel", { ...common, ...from, ...how }));
          }
          if (turn <= count) requestAnimationFrame(tick);
          else {
            if (kind === "drag") window.dispatchEvent(new MouseEvent("mouseup", { ...common, ...from }));
            resolve(found);
          }
        };
        requestAnimationFrame(tick);
      }),
    [act, FRAMES] as const,
  );
  const after = await read();
  await session.detach();
  const spans = times.slice(1).map((time, place) => time - (times[place] ?? time));
  const sorted = [...spans].sort((one, other) => one - other);
  const whole = spans.reduce((sum, span) => sum + span, 0);
  const round = (value: number) => Math.round(value * 10) / 10;
  const [workMs = 0, scriptMs = 0, styleMs = 0, layoutMs = 0] = after.map((value, place) =>
    round((1000 * (value - (before[place] ?? 0))) / spans.length),
  );
  const p95Ms = round(sorted[Math.floor(0.95 * sorted.length)] ?? 0);
  const fps = round((1000 * spans.length) / whole);
  return { frames: spans.length, fps, p95Ms, workMs, scriptMs, styleMs, layoutMs };
}

test(`${STEPS} steps`, async ({ page, browser }) => {
  await page.setViewportSize({ width: 1440, height: 900 });
  await signIn(page, "/designer");
  const began = Date.now();
  await paste(page, grid(STEPS));
  await page.keyboard.press("Escape");
  await page.keyboard.press("1");
  await page.locator('.react-flow__node[aria-label="Step 0"]').waitFor();
  const shownMs = Date.now() - began;
  const canvas = page.getByRole("region", { name: "Canvas" });
  await canvas.click({ position: { x: 20, y: 20 } });
  const found: Record<string, Figures> = {};
  found["all in view: pan"] = await during(page, "pan");
  found["all in view: zoom"] = await during(page, "zoom");
  await page.keyboard.press("1");
  found["all in view: drag a step"] = await during(page, "drag");
  await canvas.click({ position: { x: 20, y: 20 } });
  await page.keyboard.press("0");
  found["at full size: pan"] = await during(page, "pan");

  const report = { browser: browser.version(), steps: STEPS, shownMs, found };
  console.table(found);
  console.log(JSON.stringify(report));
  if (process.env.FLOWORK_MEASURE_FILE)
    writeFileSync(process.env.FLOWORK_MEASURE_FILE, `${JSON.stringify(report, null, 2)}\n`);
});
