import { defineConfig } from "@playwright/test";
import designer from "./playwright.designer.config";

/** Pictures of the page as it is now, for the README. */
export default defineConfig({ ...designer, testMatch: "*.shots.ts" });
