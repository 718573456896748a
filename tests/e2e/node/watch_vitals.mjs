// Connects to /gui-socket as the stock web client does (socket.io-client, ethers, header-shaped auth object).
// Arguments: gateway URL, private key, number of vitals to wait for. Prints what arrives as JSON lines.
import { Wallet } from "ethers";
import { io } from "socket.io-client";

const [url, privateKey, count] = process.argv.slice(2);
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
  reconnectionDelay: 200,
  reconnectionDelayMax: 500,
});
const deadline = setTimeout(() => process.exit(3), 60_000);
let vitals = 0;
const say = (event, data) => console.log(JSON.stringify({ event, data }));
socket.on("connect", () => say("connect", null));
socket.on("disconnect", (reason) => say("disconnect", reason));
socket.on("connect_error", (error) => say("connect_error", error.message));
socket.on("initial_engine_statuses", (data) => say("initial_engine_statuses", data));
socket.on("engine_status_update", (data) => say("engine_status_update", data));
socket.on("engine_vitals_update", (data) => {
  say("engine_vitals_update", data);
  if (++vitals >= Number(count)) {
    clearTimeout(deadline);
    socket.close();
  }
});
