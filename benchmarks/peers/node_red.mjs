// B3's and B4's peer: the stock Node-RED runtime with one flow, without its editor.
import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
const RED = require("node-red");
const app = createRequire(require.resolve("node-red"))("express")();
const server = createServer(app);
const settings = {
  userDir: process.env.BENCH_FOLDER,
  flowFile: "flows.json",
  httpAdminRoot: false,
  httpNodeRoot: "/",
  credentialSecret: false,
  telemetry: { enabled: false, updateNotification: false },
  logging: { console: { level: "warn", metrics: false, audit: false } },
  functionGlobalContext: {},
};
RED.init(server, settings);
app.use(settings.httpNodeRoot, RED.httpNode);
RED.runtime.events.once("flows:started", () =>
  server.listen(0, "127.0.0.1", () =>
    writeFileSync(process.env.BENCH_ADDRESS, JSON.stringify({ url: `http://127.0.0.1:${server.address().port}` })),
  ),
);
await RED.start();
