import { constants, type FileHandle, open } from "node:fs/promises";
import { FlareError } from "@flare-ts/contracts/errors";

/** Bytes that can be read at any place, such as a file or a buffer. */
export interface ByteSource {
  /** How messages call it. */
  readonly label: string;
  readonly size: number;
  /** Changes when the content was replaced or written; the same for the same content. */
  readonly identity: string;
  /** Where the bytes lie in the memory of an engine's kernels, if they do. */
  readonly address?: number | undefined;
  /** The open file's descriptor, if it is one. */
  readonly fd?: number | undefined;
  /** Fills the whole target from `position` on. @throws `aggregate/safetensors-truncated` when the bytes end before */
  read(target: Uint8Array, position: number): Promise<void>;
  close(): Promise<void>;
}

/** Opens a file for reading. @throws `file/not-found`, `file/unreadable` */
export async function openFileSource(path: string): Promise<ByteSource> {
  let handle: FileHandle;
  try {
    // A named pipe would be waited for until somebody writes to it, which no signal ends.
    handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (cause) {
    throw readError(path, cause);
  }
  try {
    const source = await handleSource(handle, path);
    return { ...source, close: () => handle.close() };
  } catch (cause) {
    await handle.close();
    throw cause;
  }
}

/** Reads through a handle that the caller keeps and closes. @throws `file/unreadable` */
export async function handleSource(handle: FileHandle, label: string): Promise<ByteSource> {
  const stat = await handle.stat({ bigint: true });
  if (!stat.isFile()) throw new FlareError("file/unreadable", `${label} is not a file.`, { facts: { file: label } });
  return {
    label,
    fd: handle.fd,
    size: Number(stat.size),
    identity: `${stat.dev}:${stat.ino}:${stat.size}:${stat.mtimeNs}`,
    read: (target, position) => readFully(handle, label, target, position),
    close: async () => {},
  };
}

/** Reads from memory; the bytes are not copied. */
export function bytesSource(bytes: Uint8Array, label: string, address?: number): ByteSource {
  return {
    label,
    address,
    size: bytes.byteLength,
    identity: label,
    read: async (target, position) => {
      if (position + target.byteLength > bytes.byteLength) throw truncated(label, position + target.byteLength, bytes.byteLength);
      target.set(bytes.subarray(position, position + target.byteLength));
    },
    close: async () => {},
  };
}

async function readFully(handle: FileHandle, label: string, target: Uint8Array, position: number): Promise<void> {
  let done = 0;
  while (done < target.byteLength) {
    let bytesRead: number;
    try {
      ({ bytesRead } = await handle.read(target, done, target.byteLength - done, position + done));
    } catch (cause) {
      throw readError(label, cause);
    }
    if (bytesRead === 0) throw truncated(label, position + target.byteLength, position + done);
    done += bytesRead;
  }
}

/** Says that a file ends before it should. */
export function truncated(file: string, expectedBytes: number, bytes: number): FlareError {
  return new FlareError("aggregate/safetensors-truncated", `${file}: ends after ${bytes} bytes, where ${expectedBytes} were expected.`, {
    facts: { file, expectedBytes, bytes },
  });
}

/** Says why a file cannot be opened or read. */
export function readError(file: string, cause: unknown): FlareError {
  const reason = cause instanceof Error && "code" in cause ? String(cause.code) : "unknown reason";
  if (reason === "ENOENT") return new FlareError("file/not-found", `${file} does not exist.`, { facts: { file }, cause });
  return new FlareError("file/unreadable", `${file} cannot be read (${reason}).`, { facts: { file, reason }, cause });
}
