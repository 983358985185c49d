import { randomBytes } from "node:crypto";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MessageDecoder } from "./message-decoder.js";
import { MessageMemory, prefixBytes } from "./message-memory.js";

describe("the decoder of framed messages", () => {
  const framed = (sizes: readonly number[]): readonly Buffer[] =>
    sizes.map((size) => {
      const message = randomBytes(prefixBytes + size);
      message[0] = 0;
      message.writeUInt32BE(size, 1);
      return message;
    });

  it("gives each message as it was, however the stream is cut and whoever has given memory back", () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.nat(300), fc.integer({ min: 60_000, max: 70_000 }), fc.integer({ min: 1_000_000, max: 1_200_000 })), {
          minLength: 1,
          maxLength: 5,
        }),
        fc.array(fc.oneof(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 16_384 })), { minLength: 1, maxLength: 40 }),
        (sizes, cuts) => {
          const memory = new MessageMemory();
          const decoder = new MessageDecoder({ memory }, { maxBytes: 4_000_000 });
          const messages = framed(sizes);
          const stream = Buffer.concat(messages);
          let next = 0;
          for (let at = 0, i = 0; at < stream.byteLength; i += 1) {
            const end = at + (cuts[i % cuts.length] ?? 1) * (i < 200 ? 1 : 64);
            for (const message of decoder.write(stream.subarray(at, end))) {
              expect(message.equals(messages[next] ?? Buffer.alloc(0))).toBe(true);
              memory.giveBack(message);
              next += 1;
            }
            at = end;
          }
          expect(next).toBe(messages.length);
        },
      ),
      { numRuns: 60 },
    );
  });
});
