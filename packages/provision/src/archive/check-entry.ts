import { FlareError } from "@flare-ts/contracts";
import type { Entry } from "@zip.js/zip.js";

const typeBits = 0o170000;
const regularFile = 0o100000;
const directory = 0o040000;
/** Stored as it is, and deflate: what every tool reads. */
const methods = [0, 8];

/**
 * Makes sure that an entry is an ordinary file or folder, has one name for every tool, and is encrypted only as it should be.
 *
 * @throws FlareError `archive/unsafe-path`, `archive/encrypted`, `archive/unreadable`.
 */
export function checkEntry(file: string, entry: Entry, isEncrypted: boolean): void {
  const shown = JSON.stringify(entry.filename.slice(0, 200));
  const facts = { file, member: entry.filename.slice(0, 200) };
  const type = (entry.externalFileAttributes >>> 16) & typeBits;
  if (entry.symlink || ![0, regularFile, directory].includes(type) || (type === directory && !entry.directory)) {
    throw new FlareError("archive/unsafe-path", `${file}: ${shown} is a link or another thing that is no file.`, { facts });
  }
  const hasTwoNames = entry.extraFieldUnicodePath !== undefined;
  const hasUncertainName = !entry.filenameUTF8 && entry.rawFilename.some((byte) => byte >= 0x80);
  if (hasTwoNames || hasUncertainName) {
    throw new FlareError("archive/unsafe-path", `${file}: tools would read the name ${shown} in different ways.`, { facts });
  }
  if (entry.directory) return;
  if (entry.encrypted !== isEncrypted || (entry.encrypted && entry.zipCrypto)) {
    throw new FlareError("archive/encrypted", `${file}: ${shown} is ${encryptionText(entry, isEncrypted)}.`, { facts });
  }
  if (!methods.includes(entry.compressionMethod)) {
    throw new FlareError("archive/unreadable", `${file}: ${shown} is compressed by method ${entry.compressionMethod}; deflate is read.`, {
      facts: { ...facts, method: entry.compressionMethod },
    });
  }
}

function encryptionText(entry: Entry, isEncrypted: boolean): string {
  if (entry.encrypted && entry.zipCrypto) return "encrypted with ZipCrypto, which is broken";
  return isEncrypted ? "not encrypted, and everything here has to be" : "encrypted, and nothing here may be";
}
