import { randomBytes } from "node:crypto";
import type { ContentHash } from "@flare-ts/contracts";
import { limits } from "@flare-ts/contracts";
import { afterEach, describe, expect, it } from "vitest";
import { decodeChunk, encodeChunk, type FusedChunk } from "./chunk-codec.js";
import type { Chunk } from "./connection.js";
import { MessageMemory, receivedMemory, sentMemory } from "./message-memory.js";
import { startTestServer, type TestServer } from "./test-server.test-support.js";
import { SlicedFrame, sliceBytes } from "./write-in-slices.js";

const hash = "ab".repeat(32) as ContentHash;
const count = 64;

let server: TestServer | undefined;
afterEach(async () => {
  await server?.stop();
  server = undefined;
});

/** Pieces of memory that `work` takes, as numbers in the order in which they first come. */
async function memoryOf(work: () => Promise<void>): Promise<readonly number[]> {
  const numbers = new Map<object, number>();
  const taken: number[] = [];
  for (const pool of [receivedMemory, sentMemory]) {
    const take = pool.take.bind(pool);
    pool.take = (bytes) => {
      const memory = take(bytes);
      if (!pool.isOwn(memory)) return memory;
      if (!numbers.has(memory.buffer)) numbers.set(memory.buffer, numbers.size);
      taken.push(numbers.get(memory.buffer) ?? 0);
      return memory;
    };
  }
  try {
    await work();
  } finally {
    for (const pool of [receivedMemory, sentMemory]) Reflect.deleteProperty(pool, "take");
  }
  return taken;
}

describe("the memory of messages", () => {
  it("serves again on both sides of an upload and of a download, and every byte arrives", async () => {
    const pieces = Array.from({ length: count }, () => randomBytes(limits.chunkBytes));
    const released: number[] = [];
    const chunks = async function* (): AsyncGenerator<Chunk, void, undefined> {
      for (const [i, data] of pieces.entries()) {
        const object = i === 0 ? { object: { hash, size: 1e9 } } : {};
        yield { ...object, offset: i * limits.chunkBytes, data, release: () => void released.push(i) };
      }
    };
    const check = async (received: AsyncIterable<Chunk>): Promise<number> => {
      let next = 0;
      for await (const chunk of received) {
        expect(chunk.data.equals(pieces[next] ?? Buffer.alloc(0))).toBe(true);
        chunk.release?.();
        next += 1;
      }
      return next;
    };
    let uploaded = 0;
    const running = await startTestServer({
      upload: async (_context, _object, received) => {
        uploaded = await check(received);
        return { isComplete: true, durableOffset: 0 };
      },
      download: chunks,
    });
    server = running;
    const connection = await running.dial("site-1");
    const taken = await memoryOf(async () => {
      await connection.upload(chunks());
      expect(await check(connection.download({ hash, size: 1e9 }, 0))).toBe(count);
    });
    expect(uploaded).toBe(count);
    // Each chunk is framed once and received once, in either direction.
    expect(taken).toHaveLength(4 * count);
    expect(new Set(taken).size).toBeLessThan(count);
    // What was read to be sent can be read into again, each piece after each sending.
    expect(released).toEqual([...pieces.keys(), ...pieces.keys()]);
    connection.close();
  });

  it("of a short chunk is given back at once, as a copy of it is sent", () => {
    let isGiven = false;
    const chunk = encodeChunk({ offset: 0, data: Buffer.alloc(1000), release: () => (isGiven = true) }) as unknown as FusedChunk;
    expect(chunk.frame()).toBeInstanceOf(Buffer);
    expect(isGiven).toBe(true);
  });

  it("of a whole chunk is sent as it is, but for the first slice", () => {
    const data = randomBytes(limits.chunkBytes);
    const frame = (encodeChunk({ object: { hash, size: 1e9 }, offset: 0, data }) as unknown as FusedChunk).frame();
    if (!(frame instanceof SlicedFrame)) throw new Error("It is one piece.");
    expect(frame.slices).toHaveLength(limits.chunkBytes / sliceBytes);
    expect(frame.slices.map(({ buffer }) => buffer === data.buffer)).toEqual([false, ...Array.from({ length: 7 }, () => true)]);
    const whole = Buffer.concat(frame.slices);
    expect(whole.byteLength).toBe(frame.length);
    expect([whole[0], whole.readUInt32BE(1)]).toEqual([0, frame.length - 5]);
    expect(decodeChunk(whole.subarray(5))).toEqual({ object: { hash, size: 1e9 }, offset: 0, data });
  });

  it("is given back for one use, and only what it has given out", () => {
    const memory = new MessageMemory({ most: 2 });
    const [first, foreign] = [memory.take(limits.chunkBytes), Buffer.allocUnsafeSlow(limits.chunkBytes)];
    memory.giveBack(first);
    memory.giveBack(first);
    memory.giveBack(foreign);
    expect(memory.take(limits.chunkBytes).buffer).toBe(first.buffer);
    expect(memory.take(limits.chunkBytes).buffer).not.toBe(first.buffer);
    expect(memory.isOwn(memory.take(10))).toBe(false);
  });
});
