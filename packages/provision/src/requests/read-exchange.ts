import { FlareError, limits } from "@flare-ts/contracts";
import { type ArchiveMember, exchangeLimits, readArchive } from "../archive/index.js";

/** Every document that people send each other is far smaller. */
const maxDocumentBytes = 64 * 1024;

export interface ReadExchangeInit {
  readonly file: string;
  /** Members that must be there. */
  readonly names: readonly string[];
  /** Members that may be there, and may be as large as a trust list. */
  readonly optional?: readonly string[];
  /** Suffix of one further member, which is named after the participant. */
  readonly suffix: string;
  readonly signal?: AbortSignal | undefined;
}

/** The files of a request or an approval. */
export interface Exchange {
  /** Bytes of a member. */
  readonly bytes: (name: string) => Uint8Array;
  /** The same as text. */
  readonly text: (name: string) => string;
  readonly has: (name: string) => boolean;
  /** Name of the member with the suffix. */
  readonly namedFile: string;
}

/**
 * Reads the archive of a request or an approval: exactly the files that it must have, each of a sound size, no private key.
 *
 * @throws FlareError `request/incomplete`, `archive/*`, `file/not-found`, `file/unreadable`.
 */
export async function readExchange({ file, names, optional = [], suffix, signal }: ReadExchangeInit): Promise<Exchange> {
  const members = await readArchive({ file, limits: exchangeLimits, privateKeys: "refused", signal });
  const byName = new Map(members.map((member): [string, ArchiveMember] => [member.path, member]));
  const missing = names.find((name) => !byName.has(name));
  if (missing !== undefined) throw incomplete(file, `lacks ${missing}`);
  const others = members.map(({ path }) => path).filter((path) => !names.includes(path) && !optional.includes(path));
  const [namedFile, further] = others;
  if (namedFile === undefined) throw incomplete(file, `lacks the file *${suffix}`);
  const stranger = namedFile.endsWith(suffix) ? further : namedFile;
  if (stranger !== undefined) throw incomplete(file, `holds ${JSON.stringify(stranger)}, which does not belong there`);
  const large = members.find(({ path, bytes }) => bytes.length > (optional.includes(path) ? limits.trustListBytes : maxDocumentBytes));
  if (large !== undefined) throw incomplete(file, `holds ${large.path} with ${large.bytes.length} bytes, more than such a file has`);
  const bytes = (name: string): Uint8Array => {
    const member = byName.get(name);
    if (member === undefined) throw new TypeError(`${name} was not asked for`);
    return member.bytes;
  };
  return { bytes, has: (name) => byName.has(name), text: (name) => decode(bytes(name), `${file}: ${name}`), namedFile };
}

function decode(bytes: Uint8Array, file: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new FlareError("request/invalid", `${file} is no text in UTF-8.`, { cause, facts: { file } });
  }
}

function incomplete(file: string, what: string): FlareError {
  return new FlareError("request/incomplete", `${file} ${what}.`, { facts: { file, problem: what } });
}
