import { createServer, type Server, type Socket } from "node:net";
import { freePort } from "@flare-ts/runtime";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type FlareFolder, flareFolder } from "../flare-process.test-support.js";

let folder: FlareFolder;
let silent: Server;
const sockets = new Set<Socket>();

beforeAll(async () => {
  folder = await flareFolder();
  const port = await freePort();
  await folder.data("poc", "prepare", "-n", "1", "--port", String(port));
  silent = createServer((socket) => void sockets.add(socket.on("error", () => {})));
  await new Promise<void>((resolve) => silent.listen(port, "127.0.0.1", resolve));
});
afterAll(async () => {
  for (const socket of sockets) socket.destroy();
  await new Promise((resolve) => silent.close(resolve));
  await folder.remove();
});

it("gives a server up that takes connections and says nothing, with the status of one that cannot be reached", async () => {
  const { exitCode, stderr } = await folder.run("job", "list", "--connect-timeout", "0.5");
  expect(stderr).toContain("error transfer/unreachable: The server has not let this admin in within 0.5 s");
  expect(exitCode).toBe(2);
});
