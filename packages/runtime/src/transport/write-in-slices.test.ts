import { once } from "node:events";
import { connect, constants, createServer, type ServerHttp2Stream } from "node:http2";
import type { AddressInfo } from "node:net";
import { Writable } from "node:stream";
import { setTimeout } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { SlicedFrame, writeInSlices } from "./write-in-slices.js";

describe("writeInSlices", () => {
  it("hands long messages on in slices of 128 KiB, one after the other, and says once that a message is written", async () => {
    const stream = new SlowStream();
    writeInSlices(stream);
    writeInSlices(stream);
    const first = Buffer.from(Uint8Array.from({ length: 300_000 }, (_, i) => i));
    const second = Buffer.from("short");
    const told: (readonly [string, number])[] = [];
    await new Promise<void>((resolve) => {
      stream.write(first, () => told.push(["first", stream.pieces.length]));
      stream.write(second, () => {
        told.push(["second", stream.pieces.length]);
        resolve();
      });
    });
    expect(stream.pieces.map((piece) => piece.byteLength)).toEqual([131_072, 131_072, 37_856, 5]);
    expect(Buffer.concat(stream.pieces)).toEqual(Buffer.concat([first, second]));
    expect(told.map(([name]) => name)).toEqual(["first", "second"]);
    expect(told[0]?.[1]).toBeGreaterThanOrEqual(3);
  });

  it("hands a message in two pieces of memory on in theirs, and tells it when it has gone out", async () => {
    const stream = new SlowStream();
    writeInSlices(stream);
    const [head, rest] = [Buffer.alloc(100, 1), Buffer.alloc(200_000, 2)];
    let told = 0;
    const frame = new SlicedFrame(head, rest, () => (told += 1));
    expect(frame).toMatchObject({ length: 200_100, byteLength: 200_100 });
    await new Promise<void>((resolve) => writeFrame(stream, frame, resolve));
    expect(stream.pieces.map(({ byteLength }) => byteLength)).toEqual([100, 131_072, 68_928]);
    expect(Buffer.concat(stream.pieces)).toEqual(Buffer.concat([head, rest]));
    expect(told).toBe(1);
    frame.wentOut();
    expect(told).toBe(1);
  });

  it.each(["the caller", "the server", "the network"])(
    "never tells a message that has not gone out when %s tears the stream down",
    async (who) => {
      const server = createServer();
      server.listen(0, "127.0.0.1");
      await once(server, "listening");
      const session = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
      session.on("error", () => undefined);
      const request = session.request({ ":method": "POST" }).on("error", () => undefined);
      const [incoming] = (await once(server, "stream")) as [ServerHttp2Stream];
      incoming.on("error", () => undefined);
      writeInSlices(request);
      let isTold = false;
      // More than the other end takes before somebody reads it.
      writeFrame(request, new SlicedFrame(Buffer.alloc(100), Buffer.alloc(2 ** 20), () => (isTold = true)));
      await setTimeout(50);
      const closed = once(request, "close");
      if (who === "the caller") request.destroy();
      else if (who === "the server") incoming.close(constants.NGHTTP2_CANCEL);
      else incoming.session?.destroy();
      await closed;
      await setTimeout(20);
      expect(isTold).toBe(false);
      session.destroy();
      server.close();
    },
  );
});

/** As grpc-js writes, which takes whatever it is given for bytes. */
function writeFrame(stream: Writable, frame: SlicedFrame, callback?: () => void): void {
  (stream.write.bind(stream) as unknown as (frame: SlicedFrame, callback?: () => void) => boolean)(frame, callback);
}

/** As a stream of HTTP/2 is: it takes its time, and would rather have all that waits at once. */
class SlowStream extends Writable {
  readonly pieces: Buffer[] = [];

  override _write(piece: Buffer, _encoding: BufferEncoding, callback: () => void): void {
    this.pieces.push(piece);
    setImmediate(callback);
  }

  override _writev(pieces: { readonly chunk: Buffer }[], callback: () => void): void {
    this.pieces.push(Buffer.concat(pieces.map(({ chunk }) => chunk)));
    setImmediate(callback);
  }
}
