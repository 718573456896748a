import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

const gateway = process.env.GATEWAY_URL ?? "http://127.0.0.1:8000";

export default defineConfig({
  plugins: [react()],
  resolve: {
    alias: {
      "@": fileURLToPath(new URL("./src", import.meta.url)),
      "react-remove-scroll": fileURLToPath(new URL("./src/ui/no-scroll-lock.tsx", import.meta.url)),
    },
  },
  build: { outDir: "../gateway/gui", emptyOutDir: true, assetsInlineLimit: 0, target: "es2022" },
  server: {
    fs: { allow: [".."] },
    proxy: {
      "/api": { target: gateway, ws: true },
      "/socket.io": { target: gateway, ws: true },
    },
  },
  // Files that need a page say so in their first line: making one takes longer than most tests.
  // They share one world, as loading everything anew for each takes longer still: so none may mock a module, and each
  // leaves the stores as it found them.
  test: { environment: "node", isolate: false, include: ["src/**/*.test.{ts,tsx}"] },
});
