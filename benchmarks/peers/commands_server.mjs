// B2's peer: a WebSocket server of Node's usual libraries that verifies each message and answers it.
import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { verifyMessage } from "ethers";
import { WebSocketServer } from "ws";

const used = new Set();
const server = new WebSocketServer({ host: "127.0.0.1", port: 0, perMessageDeflate: false });
server.on("connection", (socket) =>
  socket.on("message", (data) => {
    const { auth, payload } = JSON.parse(data);
    const fields = auth.message.split("|");
    const fresh = Math.abs(Date.now() - Number(fields[3])) < 300_000;
    const covered = createHash("sha256").update(JSON.stringify(payload)).digest("hex") === fields[5];
    const right = fresh && covered && !used.has(auth.message) && verifyMessage(auth.message, auth.signature) === auth.address;
    used.add(auth.message);
    const answer = right
      ? { type: "error", code: "NOT_FOUND", message: "There is no such run.", request_id: payload.request_id }
      : { type: "error", code: "BAD_SIGNATURE", message: "Invalid signature.", request_id: payload.request_id };
    socket.send(JSON.stringify(answer));
  }),
);
server.on("listening", () =>
  writeFileSync(process.env.BENCH_ADDRESS, JSON.stringify({ socket: `ws://127.0.0.1:${server.address().port}` })),
);
