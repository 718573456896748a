// Runs a workflow through the documented envelope with ethers and ws: auth is a signed timestamp text, nothing of ours.
// Arguments: socket URL, engine id, private key, workflow file. Prints every received frame as one JSON line.
import { readFileSync } from "node:fs";
import { Wallet } from "ethers";
import WebSocket from "ws";

const [url, engineId, privateKey, workflowFile] = process.argv.slice(2);
const wallet = new Wallet(privateKey);
const workflow = JSON.parse(readFileSync(workflowFile, "utf8"));
const message = `flowork_socket_auth|${wallet.address}|${Math.floor(Date.now() / 1000)}`;
const signature = await wallet.signMessage(message);
const jobId = crypto.randomUUID();

const socket = new WebSocket(`${url}/?engineId=${engineId}`);
const deadline = setTimeout(() => process.exit(3), 90_000);
socket.on("open", () => {
  const payload = {
    type: "execute_workflow",
    job_id: jobId,
    workflow_data: workflow,
    initial_payload: {},
    preset_name: "node client",
    mode: "EXECUTE",
  };
  socket.send(JSON.stringify({ auth: { address: wallet.address, message, signature }, payload }));
});
socket.on("message", (data) => {
  const frame = JSON.parse(data.toString());
  console.log(JSON.stringify(frame));
  const done = frame.type === "workflow_status_update" && frame.status_data.status !== "RUNNING";
  if (done || frame.type === "error") {
    clearTimeout(deadline);
    socket.close();
  }
});
