import { create } from "@bufbuild/protobuf";
import type { ContentHash } from "@flare-ts/contracts";
import { SubmitUpdateReplySchema, SubmitUpdateRequestSchema } from "@flare-ts/contracts/wire";
import { afterAll, expect, it } from "vitest";
import type { Chunk, Connection } from "./connection.js";
import { startTestServer, type TestServer, type TestWay } from "./test-server.test-support.js";

const rounds = 7;
const calls = 2_048;
const uploadBytes = 200_000_000;
const chunkBytes = 1 << 20;
const atOnce = 32;
const hash = "ef".repeat(32) as ContentHash;
const servers: TestServer[] = [];

afterAll(async () => {
  for (const server of servers) await server.stop();
});

it("what a proof for each call costs, of calls and of uploads", { timeout: 600_000 }, async () => {
  const ways: readonly TestWay[] = ["mtls", "tls", "clear"];
  const sites = await Promise.all(ways.map(async (way) => [way, await connect(way)] as const));
  const figures = new Map<string, number[]>();
  const note = (what: string, figure: number): void => void figures.set(what, [...(figures.get(what) ?? []), figure]);
  // In turn, so that whatever else runs here weighs on all of them.
  for (let round = 0; round < rounds; round++) {
    for (const [way, site] of sites) {
      const inOrder = await cost(() => inTurn(site, calls));
      note(`${way}: calls/s`, calls / inOrder.seconds);
      note(`${way}: CPU of both sides, us/call`, inOrder.cpuUs / calls);
      const side = Array.from({ length: atOnce }, () => calls / atOnce);
      const together = await cost(() => Promise.all(side.map((count) => inTurn(site, count))));
      note(`${way}: calls/s, ${atOnce} at once`, calls / together.seconds);
      const upload = await cost(() => site.upload(chunks()));
      note(`${way}: upload, MB/s`, uploadBytes / 1e6 / upload.seconds);
      note(`${way}: upload, CPU of both sides, ms`, upload.cpuUs / 1000);
    }
  }
  expect(figures.size).toBe(5 * ways.length);
  for (const [what, values] of figures) process.stdout.write(`${what} ${Math.round(values.toSorted((a, b) => a - b)[rounds >> 1] ?? 0)}\n`);
});

async function connect(way: TestWay): Promise<Connection> {
  const server = await startTestServer(
    {
      submitUpdate: async () => create(SubmitUpdateReplySchema, { outcome: "accepted" }),
      upload: async (_context, object, incoming) => {
        for await (const _chunk of incoming);
        return { isComplete: true, durableOffset: object.size };
      },
    },
    { way },
  );
  servers.push(server);
  const site = await server.dial("site-1");
  // Without a control stream a site counts as silent while the others are measured.
  site.attach(() => undefined);
  return site;
}

async function inTurn(site: Connection, count: number): Promise<void> {
  const request = create(SubmitUpdateRequestSchema, { weight: 1, metricsJson: JSON.stringify({ loss: 0.5, accuracy: 0.25 }) });
  for (let i = 0; i < count; i++) await site.submitUpdate(request);
}

async function* chunks(): AsyncGenerator<Chunk, void, undefined> {
  const data = Buffer.alloc(chunkBytes, 7);
  for (let offset = 0; offset < uploadBytes; offset += chunkBytes) {
    yield { ...(offset === 0 ? { object: { hash, size: uploadBytes } } : {}), offset, data };
  }
}

async function cost(work: () => Promise<unknown>): Promise<{ readonly seconds: number; readonly cpuUs: number }> {
  const began = performance.now();
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return { seconds: (performance.now() - began) / 1000, cpuUs: user + system };
}
