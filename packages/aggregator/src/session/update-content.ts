import { type ByteSource, bytesSource, openFileSource } from "../byte-source.js";
import type { Arithmetic } from "./arithmetic.js";
import { type SpoolInit, spoolStream } from "./spool-stream.js";

/** An update's bytes until the session ends. */
export interface UpdateContent {
  open(): Promise<ByteSource>;
  /** Lets go of what was kept. */
  release(): Promise<void>;
}

/** Takes over what an update was given as: leaves a file where it is, copies bytes, spools a stream. @throws as `spoolStream` */
export async function takeContent(
  given: string | Uint8Array | AsyncIterable<Uint8Array>,
  arithmetic: Arithmetic,
  spool: SpoolInit,
): Promise<UpdateContent> {
  if (typeof given === "string") return { open: () => openFileSource(given), release: async () => {} };
  if (given instanceof Uint8Array) {
    const kept = arithmetic.keep(given);
    if (kept !== undefined)
      return { open: async () => bytesSource(kept.bytes, spool.label, kept.address), release: async () => kept.release() };
  }
  const spooled = await spoolStream(given instanceof Uint8Array ? inOne(given) : given, spool);
  return { open: async () => ({ ...(await openFileSource(spooled.path)), label: spool.label }), release: () => spooled.remove() };
}

async function* inOne(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield new Uint8Array(bytes);
}
