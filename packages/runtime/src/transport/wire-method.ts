import { type DescMessage, type DescMethod, fromBinary, type MessageShape, toBinary } from "@bufbuild/protobuf";
import { Admin, Session, Site, Transfer } from "@flare-ts/contracts/wire";
import type { MethodDefinition } from "@grpc/grpc-js";
import { decodeChunk, encodeChunk } from "./chunk-codec.js";
import type { Chunk } from "./connection.js";

/** Every call of the wire protocol as grpc-js wants it described; the chunks of transfers have their own codec. */
export const wireMethods = Object.freeze({
  challenge: unary(Session.method.challenge),
  register: unary(Session.method.register),
  renew: unary(Session.method.renew),
  end: unary(Session.method.end),
  attach: define(Site.method.attach, codecOf(Site.method.attach.input), codecOf(Site.method.attach.output)),
  submitUpdate: unary(Site.method.submitUpdate),
  stat: unary(Transfer.method.stat),
  upload: define(Transfer.method.upload, chunkCodec(), codecOf(Transfer.method.upload.output)),
  download: define(Transfer.method.download, codecOf(Transfer.method.download.input), chunkCodec()),
  probeUp: define(Transfer.method.probeUp, chunkCodec(), codecOf(Transfer.method.probeUp.output)),
  probeDown: define(Transfer.method.probeDown, codecOf(Transfer.method.probeDown.input), chunkCodec()),
  execute: unary(Admin.method.execute),
  watch: define(Admin.method.watch, codecOf(Admin.method.watch.input), codecOf(Admin.method.watch.output)),
  follow: define(Admin.method.follow, codecOf(Admin.method.follow.input), codecOf(Admin.method.follow.output)),
});

interface Codec<Message> {
  readonly serialize: (message: Message) => Buffer;
  readonly deserialize: (bytes: Buffer) => Message;
}

function unary<Input extends DescMessage, Output extends DescMessage>(
  method: DescMethod & { readonly input: Input; readonly output: Output },
): MethodDefinition<MessageShape<Input>, MessageShape<Output>> {
  return define(method, codecOf(method.input), codecOf(method.output));
}

function define<Request, Response>(
  method: DescMethod,
  request: Codec<Request>,
  response: Codec<Response>,
): MethodDefinition<Request, Response> {
  return {
    path: `/${method.parent.typeName}/${method.name}`,
    requestStream: method.methodKind === "client_streaming" || method.methodKind === "bidi_streaming",
    responseStream: method.methodKind === "server_streaming" || method.methodKind === "bidi_streaming",
    requestSerialize: request.serialize,
    requestDeserialize: request.deserialize,
    responseSerialize: response.serialize,
    responseDeserialize: response.deserialize,
  };
}

function codecOf<Schema extends DescMessage>(schema: Schema): Codec<MessageShape<Schema>> {
  return {
    serialize: (message) => {
      const bytes = toBinary(schema, message);
      return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    },
    deserialize: (bytes) => fromBinary(schema, bytes),
  };
}

function chunkCodec(): Codec<Chunk> {
  return { serialize: encodeChunk, deserialize: decodeChunk };
}
