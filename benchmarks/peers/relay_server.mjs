// What Node's socket.io makes of B6's relay: two namespaces, one event each way, no checks at all.
import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { Server } from "socket.io";

const http = createServer();
const io = new Server(http, { transports: ["websocket"], maxHttpBufferSize: 1e6 });
const guis = io.of("/gui-socket");
const engines = io.of("/engine-socket");
engines.on("connection", (socket) => {
  socket.join(socket.handshake.auth.engine_id);
  socket.on("relay_events", (data, done) => {
    for (const item of data.events) guis.to(data.session).emit(item.event, item.data);
    done({ ok: true });
  });
});
guis.on("connection", (socket) =>
  socket.on("get_run", (data) =>
    engines.to(data.payload.target_engine_id).emit("relay_command", { session: socket.id, payload: data.payload }),
  ),
);
http.listen(0, "127.0.0.1", () =>
  writeFileSync(process.env.BENCH_ADDRESS, JSON.stringify({ url: `http://127.0.0.1:${http.address().port}` })),
);
