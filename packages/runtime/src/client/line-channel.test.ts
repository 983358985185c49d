import { Duplex, PassThrough } from "node:stream";
import type { FlareError } from "@flare-ts/contracts/errors";
import { describe, expect, it } from "vitest";
import { LineChannel, type RawMessage } from "./line-channel.js";
import { maxLineBytes } from "./protocol.js";

interface Heard {
  readonly messages: RawMessage[];
  readonly input: PassThrough;
  readonly output: PassThrough;
  readonly closed: Promise<FlareError | undefined>;
}

function listen(): Heard {
  const input = new PassThrough();
  const output = new PassThrough();
  const messages: RawMessage[] = [];
  const { promise: closed, resolve } = Promise.withResolvers<FlareError | undefined>();
  const stream = Duplex.from({ readable: input, writable: output });
  new LineChannel({ stream }, { onMessage: (message) => messages.push(message), onClose: resolve }).start();
  return { messages, input, output, closed };
}

describe("a channel of JSON lines", () => {
  it("takes messages however their bytes are cut", async () => {
    const { messages, input, closed } = listen();
    const bytes = Buffer.from('{"type":"a","text":"ü"}\n{"type":"b"}\n');
    for (const byte of bytes) input.write(Buffer.of(byte));
    input.end();
    expect(await closed).toBeUndefined();
    expect(messages).toEqual([{ type: "a", text: "ü" }, { type: "b" }]);
  });

  it.each([
    ["what is not JSON", "hello\n"],
    ["what is not an object", "[1]\n"],
    ["an object without a type", '{"a":1}\n'],
    ["a line without end", "x".repeat(maxLineBytes + 1)],
  ])("closes at %s, and tells the peer why", async (_, text) => {
    const { input, output, closed, messages } = listen();
    input.write(`${text}{"type":"late"}\n`);
    expect(await closed).toMatchObject({ code: "client-api/protocol-violation" });
    const told = JSON.parse(String(output.read())) as RawMessage;
    expect(told).toMatchObject({ type: "error", error: { code: "client-api/protocol-violation" } });
    expect(messages).toEqual([]);
  });
});
