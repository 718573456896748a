/** How fluid the canvas is with many steps: frame times while it is panned, zoomed and dragged. A measurement, no test. */

import { writeFileSync } from "node:fs";
import { type Page, test } from "@playwright/test";
import { paste, signIn, step } from "./owner";

const STEPS = Number(process.env.FLOWORK_MEASURE_STEPS ?? 500);
const COLUMNS = 25;
const FRAMES = 150;

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
  fps: number;
  p50: number;
  p95: number;
  worst: number;
  longTasksMs: number;
}

/** Frame times, in milliseconds, while something is done once a frame. */
async function during(page: Page, act: (place: number) => Promise<void>): Promise<Figures> {
  await page.evaluate(() => {
    const times: number[] = [];
    let long = 0;
    const observer = new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) long += entry.duration;
    });
    observer.observe({ type: "longtask" });
    let on = true;
    const tick = (now: number) => {
      times.push(now);
      if (on) requestAnimationFrame(tick);
    };
    requestAnimationFrame(tick);
    Object.assign(window, {
      endFrames: () => {
        on = false;
        observer.disconnect();
        return { times, long };
      },
    });
  });
  for (let place = 0; place < FRAMES; place++) await act(place);
  const { times, long } = await page.evaluate(() =>
    (window as unknown as { endFrames(): { times: number[]; long: number } }).endFrames(),
  );
  const spans = times.slice(1).map((time, place) => time - (times[place] ?? time));
  const sorted = [...spans].sort((one, other) => one - other);
  const at = (part: number) => sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? 0;
  const whole = spans.reduce((sum, span) => sum + span, 0);
  const round = (value: number) => Math.round(value * 10) / 10;
  return {
    frames: spans.length,
    fps: round((1000 * spans.length) / whole),
    p50: round(at(0.5)),
    p95: round(at(0.95)),
    worst: round(sorted.at(-1) ?? 0),
    longTasksMs: round(long),
  };
}

test(`${STEPS} steps`, async ({ page, browser }) => {
  await page.setViewportSize({ width: 1440, height: 900 });
  await signIn(page, "/designer");
  const began = Date.now();
  await paste(page, grid(STEPS));
  await page.keyboard.press("Escape");
  await page.keyboard.press("1");
  await step(page, "Step 0").waitFor();
  const shownMs = Date.now() - began;
  const canvas = await page.getByRole("region", { name: "Canvas" }).boundingBox();
  if (!canvas) throw new Error("no canvas");
  const middle = { x: canvas.x + canvas.width / 2, y: canvas.y + canvas.height / 2 };
  await page.mouse.click(canvas.x + 20, canvas.y + 20);
  await page.mouse.move(middle.x, middle.y);
  await page.waitForTimeout(1500);
  const found: Record<string, Figures> = {};

  const circle = (place: number): Promise<void> =>
    page.mouse.wheel(12 * Math.cos(place / 12), 12 * Math.sin(place / 12));
  found["all in view: pan"] = await during(page, circle);
  await page.keyboard.down("Control");
  found["all in view: zoom"] = await during(page, (place) => page.mouse.wheel(0, place % 50 < 25 ? -6 : 6));
  await page.keyboard.up("Control");
  await page.keyboard.press("0");
  await page.waitForTimeout(800);
  found["at full size: pan"] = await during(page, circle);
  await page.keyboard.press("1");
  await page.waitForTimeout(800);
  const box = await page.locator('.react-flow__node[data-id="n262"]').boundingBox();
  if (!box) throw new Error("no step");
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 3);
  await page.mouse.down();
  found["all in view: drag a step"] = await during(page, (place) =>
    page.mouse.move(box.x + box.width / 2 + place, box.y + box.height / 3 + 20 * Math.sin(place / 10)),
  );
  await page.mouse.up();

  const report = { browser: browser.version(), steps: STEPS, shownMs, found };
  console.table(found);
  console.log(JSON.stringify(report));
  if (process.env.FLOWORK_MEASURE_FILE)
    writeFileSync(process.env.FLOWORK_MEASURE_FILE, `${JSON.stringify(report, null, 2)}\n`);
});
