import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "@flare-ts/runtime";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { seededRandom } from "../random.js";
import { FaultProxy } from "./fault-proxy.js";

let echo: Server;
let proxy: FaultProxy;
let port: number;
const arrived: Socket[] = [];

beforeEach(async () => {
  echo = createServer((socket) => {
    arrived.push(socket);
    socket.on("error", () => undefined).pipe(socket);
  }).listen(0, "127.0.0.1");
  await once(echo, "listening");
  port = await freePort();
  const target = { host: "127.0.0.1", port: (echo.address() as AddressInfo).port };
  proxy = await FaultProxy.listen({ port, hosts: ["127.0.0.1"], target: () => target, random: seededRandom(1).next });
});

afterEach(async () => {
  await proxy.stop();
  echo.close();
  for (const socket of arrived.splice(0)) socket.destroy();
  await once(echo, "close");
});

/** Sends bytes, reads as many back, and says how long that took. */
async function exchange(bytes: Buffer): Promise<{ readonly back: Buffer; readonly ms: number; readonly isBroken: boolean }> {
  const socket = connect(port, "127.0.0.1");
  let isBroken = false;
  socket.on("error", () => (isBroken = true));
  const startMs = performance.now();
  socket.write(bytes);
  const parts: Buffer[] = [];
  let length = 0;
  socket.on("data", (part: Buffer) => {
    parts.push(part);
    length += part.byteLength;
    if (length === bytes.byteLength) socket.end();
  });
  await once(socket, "close").catch(() => undefined);
  return { back: Buffer.concat(parts), ms: performance.now() - startMs, isBroken: isBroken || length < bytes.byteLength };
}

describe("a fault proxy", () => {
  it("changes nothing in fair weather, and forgets connections that are over", async () => {
    const bytes = randomBytes(3_000_000);
    const { back, isBroken } = await exchange(bytes);
    expect(isBroken).toBe(false);
    expect(back.equals(bytes)).toBe(true);
    while (proxy.size > 0) await sleep(5);
  });

  it("cuts a connection in the middle of what it carries, once", async () => {
    const bytes = randomBytes(1_000_000);
    const cut = proxy.cut(300_000, new AbortController().signal);
    const { back, isBroken } = await exchange(bytes);
    expect(await cut).toBe("cut");
    expect(isBroken).toBe(true);
    expect(back.byteLength).toBeLessThan(300_000);
    expect((await exchange(bytes)).isBroken).toBe(false);
  });

  it("says that nothing was cut when too little passes", async () => {
    const giveUp = new AbortController();
    const cut = proxy.cut(300_000, giveUp.signal);
    expect((await exchange(randomBytes(1_000))).isBroken).toBe(false);
    giveUp.abort();
    expect(await cut).toBe("nothing-passed");
  });

  it("lets nothing through a black hole, not even the end of a connection, and everything after it", async () => {
    const bytes = randomBytes(100_000);
    const startMs = performance.now();
    const hole = proxy.blackHole(sleep(300));
    const { back } = await exchange(bytes);
    expect(performance.now() - startMs).toBeGreaterThan(250);
    expect(back.equals(bytes)).toBe(true);
    expect((await hole).connections).toBe(1);
  });

  it("throttles each direction of a connection to so many bits in a second", async () => {
    const end = new AbortController();
    const hole = proxy.throttle(
      1_000_000,
      sleep(60_000, undefined, { signal: end.signal }).catch(() => undefined),
    );
    // 400 000 bits each way, the second behind the first by one piece.
    const { ms } = await exchange(randomBytes(50_000));
    expect(ms).toBeGreaterThan(400);
    end.abort();
    await hole;
    await expect.poll(async () => (await exchange(randomBytes(50_000))).ms).toBeLessThan(400);
  });

  it("delays both directions, and keeps the order", async () => {
    const end = new AbortController();
    const delay = proxy.delay(
      150,
      sleep(60_000, undefined, { signal: end.signal }).catch(() => undefined),
    );
    const bytes = randomBytes(200_000);
    const { back, ms } = await exchange(bytes);
    // 150 ms each way, less a third of jitter at most.
    expect(ms).toBeGreaterThan(200);
    expect(back.equals(bytes)).toBe(true);
    end.abort();
    await delay;
  });

  it("lets new connections arrive in reverse order", async () => {
    let release: () => void = () => undefined;
    const reordered = proxy.reorder(new Promise<void>((resolve) => (release = resolve)));
    const sockets: Socket[] = [];
    for (const text of ["a", "b", "c"]) {
      const socket = connect(port, "127.0.0.1").on("error", () => undefined);
      await once(socket, "connect");
      socket.write(text);
      sockets.push(socket);
    }
    const heard: string[] = [];
    echo.on("connection", (socket: Socket) => socket.on("data", (bytes: Buffer) => heard.push(bytes.toString())));
    while (proxy.held < 3) await sleep(5);
    release();
    await reordered;
    while (heard.length < 3) await sleep(5);
    expect(heard).toEqual(["c", "b", "a"]);
    for (const socket of sockets) socket.destroy();
  });

  it("names the port that it cannot have", async () => {
    const target = { host: "127.0.0.1", port: 1 };
    await expect(FaultProxy.listen({ port, hosts: ["127.0.0.1"], target: () => target, random: Math.random })).rejects.toMatchObject({
      code: "transfer/cannot-listen",
      facts: { port },
    });
  });
});
