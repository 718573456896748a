// Behaves like the stock web client: signs in once on /gui-socket and signs nothing else, sends {v:2,payload} events.
// Arguments: gateway URL, private key. Takes events to send as JSON lines on stdin, prints what arrives as JSON lines.
import { createInterface } from "node:readline";
import { Wallet } from "ethers";
import { io } from "socket.io-client";

const [url, privateKey] = process.argv.slice(2);
const wallet = new Wallet(privateKey);
const message = `flowork_socket_auth|${wallet.address}|${Math.floor(Date.now() / 1000)}`;
const headers = {
  "X-User-Address": wallet.address,
  "X-Signed-Message": message,
  "X-Signature": await wallet.signMessage(message),
  "X-Payload-Version": 2,
};
const socket = io(`${url}/gui-socket`, {
  path: "/api/socket.io",
  transports: ["websocket"],
  auth: { headers },
  query: { engine_id: "local-engine-default" },
  reconnectionDelay: 100,
  reconnectionDelayMax: 300,
});
setTimeout(() => process.exit(3), 90_000);
const say = (event, data) => console.log(JSON.stringify({ event, data }));
for (const event of ["connect", "disconnect"]) socket.on(event, () => say(event, null));
socket.on("connect_error", (error) => say("connect_error", error.message));
socket.onAny((event, data) => {
  if (!event.includes("engine")) say(event, data);
});
for await (const line of createInterface({ input: process.stdin })) {
  const { event, target, ...fields } = JSON.parse(line);
  if (event === "reconnect") socket.disconnect().connect();
  else if (event === "close") break;
  else {
    const payload = { ...fields, type: event, target_engine_id: target ?? "local-engine-default" };
    socket.emit(event, { v: 2, payload });
  }
}
socket.close();
process.exit(0);
