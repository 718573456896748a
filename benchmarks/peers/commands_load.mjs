// B2's load, the same for both servers: signs commands with ethers, sends them with ws, a window of 64 at a time.
import { createHash, randomBytes } from "node:crypto";
import { Wallet } from "ethers";
import { WebSocket } from "ws";

const [url, key, engineId, count, rounds] = process.argv.slice(2);
const WINDOW = 64;
const wallet = new Wallet(key);

async function signed(number) {
  const payload = JSON.stringify({ type: "get_run", job_id: "none", request_id: String(number) });
  const digest = createHash("sha256").update(payload).digest("hex");
  const nonce = randomBytes(16).toString("hex");
  const message = `flowork_engine|${wallet.address}|${engineId}|${Date.now()}|${nonce}|${digest}`;
  const auth = { address: wallet.address, message, signature: await wallet.signMessage(message) };
  return `{"auth":${JSON.stringify(auth)},"payload":${payload}}`;
}

async function measure(frames) {
  const socket = new WebSocket(`${url}/?engineId=${engineId}`, { perMessageDeflate: false });
  await new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject));
  const answered = new Set();
  let sent = 0;
  const began = process.hrtime.bigint();
  await new Promise((resolve, reject) => {
    socket.on("close", (code, reason) => reject(new Error(`closed: ${code} ${reason}`)));
    socket.on("message", (data) => {
      const answer = JSON.parse(data);
      if (answer.type === "engine_status_update") return;
      if (answer.code !== "NOT_FOUND" || answered.has(answer.request_id)) {
        reject(new Error(`a wrong answer: ${data}`));
        return;
      }
      answered.add(answer.request_id);
      if (answered.size === frames.length) resolve();
      else if (sent < frames.length) socket.send(frames[sent++]);
    });
    while (sent < Math.min(WINDOW, frames.length)) socket.send(frames[sent++]);
  });
  const seconds = Number(process.hrtime.bigint() - began) / 1e9;
  socket.removeAllListeners("close").terminate();
  return frames.length / seconds;
}

const rates = [];
for (let round = 0; round < Number(rounds); round++) {
  const frames = [];
  for (let number = 0; number < Number(count); number++) frames.push(await signed(number));
  rates.push(await measure(frames));
}
console.log(JSON.stringify({ rates }));
