import { Writable } from "node:stream";
import { describe, expect, it } from "vitest";
import { BoundedWriter } from "./bounded-writer.js";
import { type ChunkShare, ChunkShares } from "./chunk-shares.js";
import type { Chunk } from "./connection.js";

async function* chunks(count = 3): AsyncGenerator<Chunk, void, undefined> {
  for (let i = 0; i < count; i += 1) yield { offset: i, data: Buffer.alloc(1) };
}

/** A stream of the shares that has begun to move, until it is ended. */
async function begin(shares: ChunkShares): Promise<{ readonly share: ChunkShare; readonly end: () => Promise<unknown> }> {
  const share = shares.open();
  const counted = share.count(chunks());
  await counted.next();
  return { share, end: () => counted.return() };
}

describe("shares of chunks", () => {
  it("are several for few streams, less for more, and one for each of many", async () => {
    const shares = new ChunkShares({ total: 8, most: 4 });
    const found: number[] = [];
    for (let i = 0; i < 9; i += 1) found.push((await begin(shares)).share.most);
    expect(found).toEqual([4, 4, 2, 2, 1, 1, 1, 1, 1]);
  });

  it("change for streams under way as others come and go", async () => {
    const shares = new ChunkShares({ total: 8, most: 4 });
    const { share } = await begin(shares);
    const others = await Promise.all([begin(shares), begin(shares), begin(shares)]);
    expect(share.most).toBe(2);
    for (const { end } of others) await end();
    expect(share.most).toBe(4);
  });

  it("are not taken by a stream that waits for its first chunk, and given up by one that fails", async () => {
    const shares = new ChunkShares({ total: 2, most: 2 });
    const { share } = await begin(shares);
    const waiting = shares.open().count(new ReadableStream<Chunk>());
    void waiting.next();
    expect(share.most).toBe(2);
    const failing = shares.open().count(
      (async function* () {
        yield* chunks(1);
        throw new Error("cut");
      })(),
    );
    await failing.next();
    expect(share.most).toBe(1);
    await expect(failing.next()).rejects.toThrow("cut");
    expect(share.most).toBe(2);
  });

  it("hold a writer back as soon as they are smaller, and let it go on when they are larger", async () => {
    const shares = new ChunkShares({ total: 2, most: 2 });
    const { share } = await begin(shares);
    const written: ((error?: Error) => void)[] = [];
    const stream = new Writable({ objectMode: true, highWaterMark: 100, write: (_chunk, _encoding, done) => void written.push(done) });
    const writer = new BoundedWriter<number>(stream, { maxPending: () => share.most });
    await writer.write(1);
    const other = await begin(shares);
    let isTaken = false;
    const second = writer.write(2).then(() => (isTaken = true));
    written.shift()?.();
    await new Promise(setImmediate);
    expect(isTaken).toBe(false);
    await other.end();
    written.shift()?.();
    await second;
    expect(isTaken).toBe(true);
    stream.destroy();
  });
});
