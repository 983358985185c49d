import type { StreamUpdate } from "./stream-update.js";

/** Cuts bytes as the lengths say, over and over; each chunk is written over once the next is asked for, as buffers of sockets are. */
export function* cut(bytes: Uint8Array, lengths: readonly number[] = [65_536]): Generator<Uint8Array> {
  for (let at = 0, i = 0; at < bytes.byteLength; i++) {
    const end = at + (lengths[i % lengths.length] ?? 1);
    const chunk = bytes.slice(at, end);
    yield chunk;
    chunk.fill(0xff);
    at = end;
  }
}

/** Writes all bytes of an update. */
export function send(update: StreamUpdate, bytes: Uint8Array, lengths?: readonly number[]): void {
  for (const chunk of cut(bytes, lengths)) update.write(chunk);
}

/** What something gives, or the code of the error that it ends with. */
export async function outcomeOf(run: () => unknown): Promise<unknown> {
  try {
    return await run();
  } catch (cause) {
    const { code } = cause as { readonly code?: string };
    if (code === undefined) throw cause;
    return code;
  }
}
