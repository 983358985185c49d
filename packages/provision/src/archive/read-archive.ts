import { FlareError } from "@flare-ts/contracts";
import {
  ERR_ENCRYPTED,
  ERR_INVALID_AUTHENTICATION_CODE,
  ERR_INVALID_PASSWORD,
  type FileEntry,
  Uint8ArrayReader,
  ZipReader,
} from "@zip.js/zip.js";
import type { ArchiveLimits } from "./archive-limits.js";
import type { ArchiveMember } from "./archive-member.js";
import { checkArchivePaths } from "./archive-path.js";
import { checkEntry } from "./check-entry.js";
import { hasPrivateKey, isKeyName } from "./private-key-in.js";
import { readWithin } from "./read-within.js";

export interface ReadArchiveInit {
  readonly file: string;
  readonly limits: ArchiveLimits;
  /** Then every member must be encrypted with it by AES; without it none may be encrypted. */
  readonly passphrase?: string;
  /** Whether a member may be or hold a private key. What travels from one person to another must not. */
  readonly privateKeys: "allowed" | "refused";
  readonly signal?: AbortSignal | undefined;
}

/**
 * Reads a zip file that somebody else made, into memory and within limits. What the archive says of sizes is not believed,
 * and an archive that two tools could read in two ways is refused. Folders are left out.
 *
 * @throws FlareError `file/not-found`, `file/unreadable`, `archive/*`.
 */
export async function readArchive({ file, limits, passphrase, privateKeys, signal }: ReadArchiveInit): Promise<readonly ArchiveMember[]> {
  const bytes = await readWithin(file, limits.archiveBytes);
  signal?.throwIfAborted();
  const zip = new ZipReader(new Uint8ArrayReader(bytes), {
    strictness: "strict",
    // Names are checked below, with messages of our own.
    filenameValidation: "tolerant",
    checkOverlappingEntry: true,
    checkCrc32: true,
    useWebWorkers: false,
    ...(signal === undefined ? {} : { signal }),
    ...(passphrase === undefined ? {} : { password: passphrase }),
  });
  try {
    const entries = await listEntries(zip, file, limits, passphrase !== undefined);
    const members: ArchiveMember[] = [];
    let left = limits.totalBytes;
    for (const entry of entries) {
      const content = await unpack(entry, file, { ...limits, totalBytes: left });
      left -= content.length;
      if (privateKeys === "refused") refuseKey(file, entry.filename, content);
      members.push({ path: entry.filename, bytes: content, mode: modeOf(entry) });
    }
    return members;
  } catch (cause) {
    throw asFlareError(cause, file);
  } finally {
    await zip.close();
  }
}

async function listEntries(zip: ZipReader<unknown>, file: string, limits: ArchiveLimits, isEncrypted: boolean): Promise<FileEntry[]> {
  const files: FileEntry[] = [];
  const folders: string[] = [];
  for await (const entry of zip.getEntriesGenerator()) {
    if (files.length + folders.length === limits.members) {
      throw new FlareError("archive/too-large", `${file} has more than ${limits.members} members.`, {
        facts: { file, limit: limits.members },
      });
    }
    checkEntry(file, entry, isEncrypted);
    if (entry.directory) folders.push(entry.filename.replace(/\/$/, ""));
    else files.push(entry);
  }
  checkArchivePaths(
    file,
    files.map(({ filename }) => filename),
    folders,
  );
  return files;
}

async function unpack(entry: FileEntry, file: string, limits: ArchiveLimits): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  // A bomb is told early, but a few kilobytes of the same letter are no bomb.
  const mostByRatio = Math.max(64 * 1024, entry.compressedSize * limits.ratio);
  const most = Math.min(limits.memberBytes, limits.totalBytes, mostByRatio);
  let refused: FlareError | undefined;
  const sink = new WritableStream<Uint8Array>({
    write: (piece) => {
      size += piece.length;
      if (size > most) {
        refused = tooLarge(entry, file, limits);
        throw refused;
      }
      pieces.push(piece);
    },
  });
  try {
    await entry.getData(sink);
  } catch (cause) {
    // What the sink throws comes back in the library's own words.
    throw refused ?? cause;
  }
  return Buffer.concat(pieces, size);
}

function refuseKey(file: string, member: string, content: Uint8Array): void {
  if (!isKeyName(member) && !hasPrivateKey(content)) return;
  throw new FlareError("archive/private-key", `${file}: ${JSON.stringify(member)} is or holds a private key.`, { facts: { file, member } });
}

function tooLarge(entry: FileEntry, file: string, limits: ArchiveLimits): FlareError {
  const { memberBytes, totalBytes, ratio } = limits;
  return new FlareError(
    "archive/too-large",
    `${file}: ${JSON.stringify(entry.filename)} unpacks to more than it may: ${memberBytes} bytes for one member, ${ratio} times its packed size, ${totalBytes} bytes left for the archive.`,
    { facts: { file, member: entry.filename, memberBytes, totalBytes, ratio } },
  );
}

/** What the owner may do with a file; others get what the owner has at most, and never more than reading and running. */
function modeOf({ unixMode }: FileEntry): number {
  return unixMode === undefined || (unixMode & 0o777) === 0 ? 0o600 : (unixMode & 0o755) | 0o600;
}

function asFlareError(cause: unknown, file: string): FlareError {
  if (cause instanceof FlareError) return cause;
  const message = cause instanceof Error ? cause.message : String(cause);
  if (cause instanceof Error && cause.name === "AbortError") return FlareError.from(cause);
  if (message === ERR_INVALID_PASSWORD)
    return new FlareError("archive/wrong-passphrase", `The passphrase does not open ${file}.`, { cause, facts: { file } });
  if (message === ERR_ENCRYPTED) return new FlareError("archive/encrypted", `${file} is encrypted.`, { cause, facts: { file } });
  if (message === ERR_INVALID_AUTHENTICATION_CODE)
    return new FlareError("archive/unreadable", `${file} was changed or damaged after it was encrypted.`, { cause, facts: { file } });
  return new FlareError("archive/unreadable", `${file} cannot be read as a zip file (${message}).`, { cause, facts: { file } });
}
