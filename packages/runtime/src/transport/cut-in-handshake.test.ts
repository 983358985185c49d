import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { afterEach, expect, it } from "vitest";
import { dialServer } from "./dial-server.js";
import { startTestServer, type TestServer } from "./test-server.test-support.js";

let server: TestServer;
afterEach(() => server.stop());

it.each<[string, (socket: Socket) => void]>([
  ["ended", (socket) => socket.end()],
  ["reset", (socket) => socket.resetAndDestroy()],
])("a connection that is %s in the middle of a TLS handshake was not refused: the site tries again", async (_how, cut) => {
  server = await startTestServer();
  const link = createServer((socket) => socket.on("error", () => undefined).once("data", () => cut(socket))).listen(0, "127.0.0.1");
  await once(link, "listening");
  const { port } = link.address() as AddressInfo;
  const failure = await dialServer({ ...server.dialInit("site-1"), port }).catch((error: unknown) => error);
  expect(failure).toMatchObject({ code: "transfer/unreachable", row: { isRetryable: true } });
  link.close();
});
