import type { Writable } from "node:stream";

/**
 * Bytes that are written at once. TLS copies what it gets in one go into new memory of that size: pieces below `largePiecesApart` come from
 * malloc's pool and from the processor's cache, where those of a megabyte are new pages of the system each time.
 */
export const sliceBytes = 128 * 1024;

/** A framed message in slices, which need not lie in one piece of memory. grpc-js asks for no more of what it writes than the length. */
export class SlicedFrame {
  readonly length: number;
  readonly byteLength: number;
  readonly slices: readonly Uint8Array[];
  /** Told once, when nobody reads the bytes any more; never of a stream that was torn down, as a socket may still do so. */
  readonly wentOut: () => void;

  constructor(head: Uint8Array, rest: Uint8Array, wentOut: () => void) {
    this.length = head.byteLength + rest.byteLength;
    this.byteLength = this.length;
    this.slices = [head, ...slicesOf(rest)];
    let isTold = false;
    this.wentOut = () => {
      if (!isTold) wentOut();
      isTold = true;
    };
  }
}

function slicesOf(bytes: Uint8Array): readonly Uint8Array[] {
  if (bytes.byteLength <= sliceBytes) return [bytes];
  return Array.from({ length: Math.ceil(bytes.byteLength / sliceBytes) }, (_, i) => bytes.subarray(i * sliceBytes, (i + 1) * sliceBytes));
}

const sliced = new WeakSet<object>();

/** Has an HTTP/2 stream write what is longer than a slice in slices, one after the other; Node would gather all that waits. */
export function writeInSlices(stream: Writable): void {
  if (sliced.has(stream)) return;
  sliced.add(stream);
  const write = stream.write.bind(stream) as (bytes: Uint8Array, callback?: WriteCallback) => boolean;
  const own = stream as { _writev: unknown; write: (message: Uint8Array | SlicedFrame, callback?: WriteCallback) => boolean };
  own._writev = null;
  own.write = (message, callback) => {
    const slices = message instanceof SlicedFrame ? message.slices : slicesOf(message);
    const written: WriteCallback = (error) => {
      if (message instanceof SlicedFrame && !error && !stream.destroyed) message.wentOut();
      callback?.(error);
    };
    let goesOn = true;
    for (const [i, slice] of slices.entries()) goesOn = write(slice, i === slices.length - 1 ? written : undefined);
    return goesOn;
  };
}

type WriteCallback = (error?: Error | null) => void;
