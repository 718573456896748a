import { defineConfig } from "@playwright/test";
import designer from "./playwright.designer.config";

/** Measurements in a browser; they tell figures and never fail for being slow. */
export default defineConfig({ ...designer, testMatch: "*.measure.ts" });
