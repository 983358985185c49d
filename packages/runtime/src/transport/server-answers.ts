import { FlareError } from "@flare-ts/contracts";
import type { ServerMessage, SiteMessage } from "@flare-ts/contracts/wire";
import type {
  handleBidiStreamingCall,
  handleClientStreamingCall,
  handleServerStreamingCall,
  handleUnaryCall,
  ServerReadableStream,
  ServerWritableStream,
  sendUnaryData,
} from "@grpc/grpc-js";
import { errorField, type Logger } from "../logging/logger.js";
import { systemStallClock } from "../progress/stall-clock.js";
import { type Stall, StallWatch } from "../progress/stall-watch.js";
import { transferStalled } from "../progress/while-moving.js";
import type { TokenCall } from "../session/authenticator.js";
import type { PeerConnection } from "../session/connection-binding.js";
import type { ParticipantKind } from "../session/identity.js";
import type { ObjectRef } from "../store/model-store.js";
import { BoundedWriter, type BoundedWriterInit } from "./bounded-writer.js";
import type { ChunkShares } from "./chunk-shares.js";
import type { CallContext, Chunk, ServerHandlers } from "./connection.js";
import { limitReadAhead } from "./flow-control.js";
import type { OpenCall, ServerCalls } from "./server-calls.js";
import { toWireStatus, type WireStatus } from "./wire-error.js";

/** What every answer is made with. */
export interface AnswerParts {
  readonly calls: ServerCalls;
  readonly logger: Logger | undefined;
  /** A stream of chunks whose other end does not move for so long is broken off. */
  readonly stallMs: number;
  /** Gives the connection of an upload room for it, until the function that is returned is called. */
  readonly uploadBegins: (address: string) => () => void;
  /** Divides the chunks that are on their way to sockets between downloads. */
  readonly outgoing: ChunkShares;
}

type Kinds = readonly ParticipantKind[];

/** A call that needs no session: the steps of registration. */
export function answerPlain<Request, Reply>(
  parts: AnswerParts,
  answer: (request: Request, connection: PeerConnection, claim: TokenCall) => Reply | Promise<Reply>,
): handleUnaryCall<Request, Reply> {
  return (call, callback) => {
    void reply(parts, callback, async () => await answer(call.request, parts.calls.connectionOf(call), parts.calls.claimOf(call)));
  };
}

/** A call with one request and one reply. */
export function answerUnary<Request, Reply>(
  parts: AnswerParts,
  kinds: Kinds,
  answer: (context: CallContext, request: Request) => Promise<Reply>,
): handleUnaryCall<Request, Reply> {
  return (call, callback) => {
    void reply(parts, callback, async () => {
      const open = parts.calls.begin(call, kinds);
      return await untilAborted(open, answer(open.context, call.request));
    });
  };
}

/** A stream of chunks that comes in; the first names the object. */
export function answerUpload<Reply>(
  parts: AnswerParts,
  kinds: Kinds,
  answer: (context: CallContext, object: ObjectRef, chunks: AsyncIterable<Chunk>) => Promise<Reply>,
): handleClientStreamingCall<Chunk, Reply> {
  return (call, callback) => {
    limitReadAhead(call, readAhead);
    void reply(parts, callback, async () => {
      const open = parts.calls.begin(call, kinds);
      return await untilAborted(open, receive(parts, call, open, answer));
    });
  };
}

/** A stream of chunks that goes out. */
export function answerDownload<Request>(
  parts: AnswerParts,
  kinds: Kinds,
  answer: (context: CallContext, request: Request) => AsyncIterable<Chunk>,
): handleServerStreamingCall<Request, Chunk> {
  return (call) => {
    const share = parts.outgoing.open();
    const counted: typeof answer = (context, request) => share.count(answer(context, request));
    void sendAll(parts, call, () => parts.calls.begin(call, kinds), counted, { maxPending: () => share.most }, "A download");
  };
}

/** A stream of events that goes out until its source ends. */
export function answerWatch<Request, Event>(
  parts: AnswerParts,
  kinds: Kinds,
  answer: (context: CallContext, request: Request) => AsyncIterable<Event>,
): handleServerStreamingCall<Request, Event> {
  return (call) => {
    void sendAll(parts, call, () => parts.calls.begin(call, kinds, true), answer, { maxPending: messagesUnderWay });
  };
}

/** The control stream of a site. */
export function answerAttach(
  parts: AnswerParts,
  kinds: Kinds,
  handlers: Pick<ServerHandlers, "attach">,
): handleBidiStreamingCall<SiteMessage, ServerMessage> {
  return (call) => {
    let open: OpenCall;
    try {
      open = parts.calls.begin(call, kinds, true);
    } catch (reason) {
      call.emit("error", statusOf(parts, reason));
      return;
    }
    const { context, touch, end } = open;
    limitReadAhead(call, readAhead);
    const writer = new BoundedWriter<ServerMessage>(call, { maxPending: messagesUnderWay });
    let close: ((reason: string) => void) | undefined;
    const finish = (reason: FlareError): void => {
      const told = close;
      close = undefined;
      writer.fail(reason);
      end();
      told?.(reason.message);
    };
    const fail = (reason: unknown): void => {
      const status = statusOf(parts, reason);
      finish(FlareError.from(reason));
      call.emit("error", status);
    };
    try {
      const listener = handlers.attach(context, async (message) => writer.write(message));
      close = (reason) => listener.onClose(reason);
      const take = async (message: SiteMessage): Promise<void> => {
        touch();
        call.pause();
        try {
          if (close !== undefined) await listener.onMessage(message);
        } catch (reason) {
          fail(reason);
        }
        call.resume();
      };
      call.on("data", (message: SiteMessage) => void take(message));
      call.once("end", () => {
        finish(new FlareError("transfer/disconnected", "The site ended its control stream."));
        call.end();
      });
      context.signal.addEventListener("abort", () => {
        if (close !== undefined) fail(context.signal.reason);
      });
    } catch (reason) {
      fail(reason);
    }
  };
}

/** Messages, or chunks of 1 MiB, that are read ahead of the handler of a stream: another one comes in meanwhile. */
const readAhead = 1;
const messagesUnderWay = 64;

async function reply<Reply>(parts: AnswerParts, callback: sendUnaryData<Reply>, run: () => Promise<Reply>): Promise<void> {
  let message: Reply;
  try {
    message = await run();
  } catch (reason) {
    callback(statusOf(parts, reason));
    return;
  }
  callback(null, message);
}

async function sendAll<Request, Message>(
  parts: AnswerParts,
  call: ServerWritableStream<Request, Message>,
  begin: () => OpenCall,
  answer: (context: CallContext, request: Request) => AsyncIterable<Message>,
  bounds: BoundedWriterInit,
  watched?: string,
): Promise<void> {
  let open: OpenCall | undefined;
  let watch: StallWatch | undefined;
  try {
    open = begin();
    const { context, touch } = open;
    if (watched !== undefined) watch = watchStream(parts, open, watched);
    const writer = new BoundedWriter<Message>(call, bounds);
    context.signal.addEventListener("abort", () => writer.fail(context.signal.reason));
    for await (const message of answer(context, call.request)) {
      // Only while the other end has to take something: how long the next chunk takes to be read is this side's affair.
      watch?.resume("the chunk before");
      await writer.write(message);
      watch?.pause();
      touch();
    }
    // The last ones too: what lies before a caller that does not read is given up like all before it.
    watch?.resume("the last chunk");
    while (await writer.wentOut()) watch?.mark("the last chunk");
    call.end();
  } catch (reason) {
    if (!call.cancelled) call.emit("error", statusOf(parts, reason));
  } finally {
    watch?.stop();
    open?.end();
  }
}

async function receive<Reply>(
  parts: AnswerParts,
  call: ServerReadableStream<Chunk, Reply>,
  open: OpenCall,
  answer: (context: CallContext, object: ObjectRef, chunks: AsyncIterable<Chunk>) => Promise<Reply>,
): Promise<Reply> {
  const chunks = incoming(parts, call, open);
  try {
    const first = await chunks.next();
    if (first.done === true || first.value.object === undefined) {
      throw new FlareError("transfer/protocol", "The first chunk of an upload must name its object.");
    }
    return await answer(open.context, first.value.object, startingWith(first.value, chunks));
  } finally {
    await chunks.return();
  }
}

async function* incoming<Reply>(
  parts: AnswerParts,
  call: ServerReadableStream<Chunk, Reply>,
  open: OpenCall,
): AsyncGenerator<Chunk, void, undefined> {
  const { context, touch } = open;
  const { signal } = context;
  const watch = watchStream(parts, open, "An upload");
  const uploadEnds = parts.uploadBegins(call.getPeer());
  watch.resume("its start");
  const stop = (): void => void call.destroy();
  signal.addEventListener("abort", stop);
  try {
    for await (const chunk of call as AsyncIterable<Chunk>) {
      touch();
      // A slow disk of ours is no standstill of the sender's.
      watch.pause();
      yield chunk;
      watch.resume("the chunk before");
    }
  } catch (reason) {
    if (signal.aborted) throw signal.reason;
    throw new FlareError("transfer/disconnected", "The upload ended before it was complete.", { cause: reason });
  } finally {
    uploadEnds();
    watch.stop();
    signal.removeEventListener("abort", stop);
  }
}

/** A paused watch over a stream of chunks, which breaks the call off when its other end stands still. */
function watchStream({ stallMs }: AnswerParts, { context, cut }: OpenCall, what: string): StallWatch {
  const { name } = context.identity;
  const onStall = (stall: Stall): void => cut(transferStalled(`${what} of ${name}`, stall));
  const watch = new StallWatch({ clock: systemStallClock }, { stallMs, first: "its start", onStall });
  watch.pause();
  return watch;
}

async function* startingWith(first: Chunk, rest: AsyncIterable<Chunk>): AsyncGenerator<Chunk, void, undefined> {
  yield first;
  yield* rest;
}

// The caller hears at once that its session ended; the call counts as open until its handler has noticed too.
async function untilAborted<Reply>(open: OpenCall, work: Promise<Reply>): Promise<Reply> {
  const { signal } = open.context;
  let stop: (() => void) | undefined;
  const aborted = new Promise<never>((_resolve, reject) => {
    stop = () => reject(signal.reason as Error);
    signal.addEventListener("abort", stop);
    if (signal.aborted) stop();
  });
  const settled = work.finally(() => {
    if (stop !== undefined) signal.removeEventListener("abort", stop);
    open.end();
  });
  return await Promise.race([settled, aborted]);
}

/** HTTP status of errors that somebody has to make room for. */
const storageFull = 507;

function statusOf(parts: AnswerParts, reason: unknown): WireStatus & Partial<Error> {
  if (!(reason instanceof FlareError)) parts.logger?.error("call failed unexpectedly", { error: errorField(reason) });
  else if (reason.row.http === storageFull || reason.code === "store/unusable" || reason.code === "file/unwritable")
    parts.logger?.error("call failed for want of storage", { error: errorField(reason) });
  else parts.logger?.debug("call refused", { code: reason.code, reason: reason.message });
  return toWireStatus(reason);
}
