import type { Writable } from "node:stream";
import { CompressionFilterFactory } from "@grpc/grpc-js/build/src/compression-filter.js";
import { BaseServerInterceptingCall } from "@grpc/grpc-js/build/src/server-interceptors.js";
import { StreamDecoder } from "@grpc/grpc-js/build/src/stream-decoder.js";
import { Http2SubchannelCall } from "@grpc/grpc-js/build/src/subchannel-call.js";
import { FusedChunk } from "./chunk-codec.js";
import { IncomingGarbage } from "./incoming-garbage.js";
import { MessageDecoder } from "./message-decoder.js";
import { receivedMemory } from "./message-memory.js";
import { type SlicedFrame, writeInSlices } from "./write-in-slices.js";

/**
 * Makes grpc-js put what it sends and receives into memory that is used again, once for the process. grpc-js 1.14.7 has no option for
 * it, so this takes the place of three of its internals: the decoder of streams, and the frames of messages on both sides; and it has what is
 * sent on both sides written in slices. That is why its version is pinned, and a test sees messages come back in the same memory.
 */
export function reuseMessageMemory(): void {
  const decoder = StreamDecoder.prototype as { write: ((data: Buffer) => Buffer[]) & { readonly [isOurs]?: true } };
  if (decoder.write[isOurs] === true) return;
  const decoders = new WeakMap<object, MessageDecoder>();
  const garbage = new IncomingGarbage();
  decoder.write = Object.assign(
    function write(this: object, data: Buffer): Buffer[] {
      garbage.note(data.byteLength);
      const known = decoders.get(this);
      if (known !== undefined) return known.write(data);
      const { maxReadMessageLength: maxBytes } = this as { readonly maxReadMessageLength: number };
      const made = new MessageDecoder({ memory: receivedMemory }, { maxBytes });
      decoders.set(this, made);
      return made.write(data);
    },
    { [isOurs]: true as const },
  );

  const server = BaseServerInterceptingCall.prototype as unknown as ServerCall;
  const serialize = server.serializeMessage;
  server.serializeMessage = function serializeMessage(value) {
    const { handler } = this;
    const message = handler.serialize(value);
    if (message instanceof FusedChunk) writeInSlices(this.stream);
    return message instanceof FusedChunk
      ? message.frame()
      : serialize.call({ handler: { serialize: () => message }, stream: this.stream }, value);
  };

  const call = Http2SubchannelCall.prototype as unknown as ClientCall;
  const send = call.sendMessageWithContext;
  call.sendMessageWithContext = function sendMessageWithContext(context, message) {
    writeInSlices(this.http2Stream);
    send.call(this, context, message);
  };

  // What does not compress is no export, but the filter of a call has one.
  const filter = new CompressionFilterFactory({} as never, {}).createFilter() as unknown as { readonly sendCompression: object };
  const identity = Object.getPrototypeOf(filter.sendCompression) as Compression;
  const frame = identity.writeMessage;
  identity.writeMessage = async function writeMessage(message, isCompressed) {
    return message instanceof FusedChunk ? message.frame() : await frame.call(this, message, isCompressed);
  };
}

const isOurs = Symbol("takes the place of grpc-js's own");

interface ClientCall {
  readonly http2Stream: Writable;
  sendMessageWithContext: (this: ClientCall, context: unknown, message: Buffer) => void;
}

interface ServerCall {
  readonly stream: Writable;
  readonly handler: { readonly serialize: (value: unknown) => Buffer | FusedChunk };
  serializeMessage: (this: Pick<ServerCall, "handler" | "stream">, value: unknown) => Buffer | SlicedFrame;
}

interface Compression {
  writeMessage: (this: Compression, message: unknown, isCompressed: boolean) => Promise<Buffer | SlicedFrame>;
}
