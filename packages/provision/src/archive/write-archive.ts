import { createReadStream } from "node:fs";
import { type FileHandle, link, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { Readable } from "node:stream";
import { FlareError } from "@flare-ts/contracts";
import { Uint8ArrayReader, ZipWriter } from "@zip.js/zip.js";
import { draftBeside } from "../state/draft-beside.js";
import type { ArchiveMember, ArchiveSource } from "./archive-member.js";
import { checkArchivePaths } from "./archive-path.js";

export interface WriteArchiveInit {
  /** Path of the archive. It gets mode 0600. */
  readonly file: string;
  readonly members: readonly (ArchiveMember | ArchiveSource)[];
  /** Modification time of every member. */
  readonly modified: Date;
  /** Encrypts every member with AES-256 (WinZip AE-2). Names and sizes stay readable. */
  readonly passphrase?: string;
  /** Writes over a file that is there. @default false */
  readonly isForced?: boolean;
  readonly signal?: AbortSignal | undefined;
}

const aes256 = 3;
const isRegularFile = 0o100000;
/** Made on Unix (3), by version 6.3 of the format (63), which has AES: so that other tools look at the modes. */
const madeOnUnix = (3 << 8) | 63;

/**
 * Writes a zip file that ordinary tools open, with the modes of its members. The file appears whole or not at all; what
 * a process that was killed has left of one is removed by the next one that is written beside it.
 *
 * @throws FlareError `archive/unsafe-path`, `file/exists`, `file/unreadable`, `file/unwritable`.
 */
export async function writeArchive(init: WriteArchiveInit): Promise<void> {
  const { file, members, isForced = false, signal } = init;
  checkArchivePaths(
    file,
    members.map(({ path }) => path),
  );
  signal?.throwIfAborted();
  const draft = await draftBeside(dirname(file));
  try {
    await writeDraft(draft, init);
    if (isForced) await rename(draft, file);
    else await link(draft, file);
  } catch (cause) {
    throw asFlareError(cause, { file, draft });
  } finally {
    await rm(draft, { force: true });
  }
}

async function writeDraft(draft: string, { members, modified, passphrase, signal }: WriteArchiveInit): Promise<void> {
  const handle = await open(draft, "wx", 0o600);
  try {
    const zip = new ZipWriter(writableOf(handle), {
      useWebWorkers: false,
      keepOrder: true,
      lastModDate: modified,
      extendedTimestamp: false,
      versionMadeBy: madeOnUnix,
      ...(signal === undefined ? {} : { signal }),
      ...(passphrase === undefined ? {} : { password: passphrase, encryptionStrength: aes256, zipCrypto: false }),
    });
    for (const member of members) {
      await zip.add(member.path, readerOf(member), { unixMode: isRegularFile | (member.mode & 0o777) });
    }
    await zip.close();
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function readerOf(member: ArchiveMember | ArchiveSource): Uint8ArrayReader | ReadableStream<Uint8Array> {
  if ("bytes" in member) return new Uint8ArrayReader(member.bytes);
  return Readable.toWeb(createReadStream(member.file)) as ReadableStream<Uint8Array>;
}

function writableOf(handle: FileHandle): WritableStream<Uint8Array> {
  return new WritableStream<Uint8Array>({
    write: async (chunk) => {
      await handle.writeFile(chunk);
    },
  });
}

function asFlareError(cause: unknown, { file, draft }: { readonly file: string; readonly draft: string }): FlareError {
  const { code, path, syscall } = cause as NodeJS.ErrnoException;
  if (cause instanceof FlareError || typeof code !== "string" || typeof path !== "string") return FlareError.from(cause);
  if (code === "EEXIST") return new FlareError("file/exists", `${file} is there already.`, { cause, facts: { file } });
  const isReading = syscall === "open" && path !== draft;
  return isReading
    ? new FlareError("file/unreadable", `Cannot read ${path} (${code}).`, { cause, facts: { file: path, reason: code } })
    : new FlareError("file/unwritable", `Cannot write ${file} (${code}).`, { cause, facts: { file, reason: code } });
}
