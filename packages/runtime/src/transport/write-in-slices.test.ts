import { Writable } from "node:stream";
import { describe, expect, it } from "vitest";
import { writeInSlices } from "./write-in-slices.js";

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
});

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
