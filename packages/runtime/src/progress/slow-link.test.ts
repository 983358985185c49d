import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { create } from "@bufbuild/protobuf";
import { limits } from "@flare-ts/contracts";
import { HeartbeatSchema, ServerMessageSchema, SiteMessageSchema } from "@flare-ts/contracts/wire";
import { afterEach, describe, expect, it } from "vitest";
import { FileModelStore } from "../store/file-model-store.js";
import { TransferClient } from "../transfer/transfer-client.js";
import { TransferServer } from "../transfer/transfer-server.js";
import { dialServer } from "../transport/dial-server.js";
import { startTestServer, type TestServer } from "../transport/test-server.test-support.js";
import { ThrottlingProxy } from "../transport/throttling-proxy.test-support.js";
import { SilenceWatch } from "./silence-watch.js";
import { systemStallClock } from "./stall-clock.js";

const megabyte = 1024 * 1024;
const clock = systemStallClock;
const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).toReversed()) await stop();
});

/** With this variable the line has 1 Mbit/s and silence is that of the system; else all of it is some twenty times quicker. */
const isReal = process.env["FLARE_SLOW_LINK"] === "1";
const line = isReal ? { bytesPerSecond: 125_000, silenceMs: limits.silenceMs } : { bytesPerSecond: 1.5e6, silenceMs: 1_000 };

/** A server and a site with a throttled line between them; each finds the other silent after `line.silenceMs`. */
async function throttled(bytesPerSecond: number, stallMs = 600_000) {
  const folder = await mkdtemp(join(tmpdir(), "flare-slow-"));
  stops.push(() => rm(folder, { recursive: true, force: true }));
  const [atServer, atSite] = await Promise.all(["server", "site"].map((name) => FileModelStore.open({ root: join(folder, name) })));
  if (atServer === undefined || atSite === undefined) throw new TypeError("two stores were opened");
  const transfers = new TransferServer({ store: atServer, guard: { mayRead: async () => true, mayWrite: async () => true } });
  const silences: string[] = [];
  let failures = 0;
  const server: TestServer = await startTestServer(
    {
      stat: async (context, object) => transfers.stat(context, object),
      upload: async (context, object, chunks) =>
        transfers.upload(context, object, chunks).catch((error: unknown) => {
          failures += 1;
          throw error;
        }),
      download: (context, object, offset, means) => transfers.download(context, object, offset, means),
      attach: ({ sessionId }, send) => {
        const watch = new SilenceWatch(
          { clock },
          { silenceMs: line.silenceMs, heard: () => server.transport.heardOf(sessionId), onSilence: () => silences.push("of the site") },
        );
        const beat = setInterval(
          () => void send(create(ServerMessageSchema, { message: { case: "heartbeat", value: create(HeartbeatSchema) } })),
          line.silenceMs / 4,
        );
        return {
          onMessage: () => watch.mark(),
          onClose: () => {
            watch.stop();
            clearInterval(beat);
          },
        };
      },
    },
    { stallMs },
  );
  stops.push(() => server.stop());
  const proxy = new ThrottlingProxy({ upstreamPort: server.port, bytesPerSecond });
  const port = await proxy.start();
  stops.push(() => proxy.stop());
  const connection = await dialServer({ ...server.dialInit("site-1"), port });
  stops.push(() => connection.close());
  const watch = new SilenceWatch(
    { clock },
    { silenceMs: line.silenceMs, heard: () => connection.heardBytes(), onSilence: () => silences.push("of the server") },
  );
  stops.push(() => watch.stop());
  const attached = Promise.withResolvers<void>();
  const stream = connection.attach(() => {
    watch.mark();
    attached.resolve();
  });
  const beat = setInterval(
    () => void stream.write(create(SiteMessageSchema, { message: { case: "heartbeat", value: create(HeartbeatSchema) } })).catch(() => {}),
    line.silenceMs / 4,
  );
  stops.push(() => clearInterval(beat));
  await attached.promise;
  return { atServer, atSite, proxy, connection, silences, brokenOff: () => failures };
}

describe("a slow line", () => {
  it("is no silence while a large object goes up or down it, though heartbeats wait behind it for longer", async () => {
    // 4 MiB that are under way, at 1.5 MB/s: every heartbeat waits for 2.8 s, where 1 s is silence; at 1 Mbit/s for 33 s, where 20 s are.
    const { atServer, atSite, connection, silences } = await throttled(line.bytesPerSecond);
    const up = await atSite.importBytes(randomBytes(6 * megabyte));
    const began = performance.now();
    await new TransferClient({ store: atSite }).upload(async () => connection, up);
    expect(performance.now() - began).toBeGreaterThan(2 * line.silenceMs);
    const down = await atServer.importBytes(randomBytes(5 * megabyte));
    await new TransferClient({ store: atSite }).download(async () => connection, down);
    expect(silences).toEqual([]);
  }, 300_000);

  it("is silence for both once it lets nothing through", async () => {
    const { proxy, silences } = await throttled(line.bytesPerSecond);
    proxy.bytesPerSecond = 0;
    while (silences.length < 2) await sleep(20);
    expect(silences.toSorted()).toEqual(["of the server", "of the site"]);
  });
});

describe("a transfer that stands still", () => {
  it("is broken off with what stood still since when, by the sender, and goes on over a line that moves", async () => {
    const { atServer, atSite, proxy, connection } = await throttled(4e6);
    const object = await atSite.importBytes(randomBytes(12 * megabyte));
    const warnings: unknown[] = [];
    const warn = (_text: string, { error }: { error?: unknown } = {}): void => {
      warnings.push(error);
      proxy.bytesPerSecond = 1e9;
    };
    const client = new TransferClient({ store: atSite, logger: { warn } as never }, { stallMs: 700 });
    const slowDown = (done: number): void => {
      if (warnings.length === 0 && done >= 6 * megabyte) proxy.bytesPerSecond = 0;
    };
    await client.upload(async () => connection, object, slowDown);
    expect(await atServer.find(object.hash)).toBeDefined();
    expect(JSON.stringify(warnings[0])).toMatch(/transfer\/stalled.*has not moved since \d{4}-.*the chunk that ended at byte/);
  }, 30_000);

  it("is broken off by the server, where its sender does not notice", async () => {
    const { atSite, proxy, connection, brokenOff } = await throttled(4e6, 500);
    const object = await atSite.importBytes(randomBytes(12 * megabyte));
    async function* chunks() {
      yield { object, offset: 0, data: Buffer.alloc(megabyte) };
      // Nothing more comes, for as long as the server hopes.
      while (brokenOff() === 0) await sleep(20);
    }
    await expect(connection.upload(chunks())).rejects.toMatchObject({ code: "transfer/stalled" });
    proxy.bytesPerSecond = 1e9;
  }, 30_000);
});
