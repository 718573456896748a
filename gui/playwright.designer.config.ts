import { defineConfig } from "@playwright/test";

/** The designer in a browser; tests/gui starts the platform and says where it is and who owns it. */
export default defineConfig({
  testDir: "e2e",
  testMatch: ["*.e2e.ts"],
  outputDir: process.env.FLOWORK_E2E_OUTPUT ?? "../var/e2e",
  reporter: [["list"]],
  workers: 1,
  forbidOnly: true,
  timeout: 300_000,
  expect: { timeout: 30_000 },
  use: {
    baseURL: process.env.FLOWORK_E2E_URL ?? "http://127.0.0.1:8000",
    locale: "en-US",
    screenshot: "only-on-failure",
    permissions: ["clipboard-read", "clipboard-write"],
    launchOptions: {
      executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
      args: ["--no-sandbox"],
    },
  },
});
