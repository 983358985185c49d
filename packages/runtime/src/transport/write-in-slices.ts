import type { Writable } from "node:stream";

/**
 * Bytes that are written at once. TLS copies what it gets in one go into new memory of that size: pieces below `largePiecesApart` come from
 * malloc's pool and from the processor's cache, where those of a megabyte are new pages of the system each time.
 */
const sliceBytes = 128 * 1024;

const sliced = new WeakSet<object>();

/** Has an HTTP/2 stream write what is longer than a slice in slices, one after the other; Node would gather all that waits. */
export function writeInSlices(stream: Writable): void {
  if (sliced.has(stream)) return;
  sliced.add(stream);
  const write = stream.write.bind(stream) as (bytes: Uint8Array, callback?: WriteCallback) => boolean;
  const own = stream as { _writev: unknown; write: (bytes: Uint8Array, callback?: WriteCallback) => boolean };
  own._writev = null;
  own.write = (bytes, callback) => {
    let at = 0;
    for (; bytes.byteLength - at > sliceBytes; at += sliceBytes) write(bytes.subarray(at, at + sliceBytes));
    return write(at === 0 ? bytes : bytes.subarray(at), callback);
  };
}

type WriteCallback = (error?: Error | null) => void;
