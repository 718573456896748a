import { defineConfig } from "@playwright/test";

/** The platform is started by tests/gui, which says where it is; the machine's own Chromium is used. */
export default defineConfig({
  testDir: "e2e",
  outputDir: process.env.FLOWORK_E2E_OUTPUT ?? "../var/e2e",
  reporter: [["list"]],
  workers: 1,
  forbidOnly: true,
  timeout: 480_000,
  expect: { timeout: 30_000 },
  use: {
    baseURL: process.env.FLOWORK_E2E_URL ?? "http://127.0.0.1:8000",
    locale: "en-US",
    screenshot: "only-on-failure",
    launchOptions: {
      executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
      args: ["--no-sandbox"],
    },
  },
});
