import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { FlareError } from "@flare-ts/contracts";
import { writeDurably } from "../kit/write-durably.js";
import type { ProjectState } from "../state/project-state.js";

/** What is remembered of a request that was approved for a name. */
export interface ApprovedKey {
  readonly request_id: string;
  readonly public_key_sha256: string;
  readonly serial: string;
}

/** The last one, and those before it: a key that was revoked does not come back when another was approved in between. */
interface ApprovedKeys extends ApprovedKey {
  readonly earlier?: readonly ApprovedKey[];
}

/** Whether a name may be given to a key: it is `free`, `taken` by another key, or the key's certificate was `revoked`. */
export type NameVerdict = "free" | "taken" | "revoked";

/** Looks up whether a name may be given to a key; the same key may ask again. */
export async function judgeName(init: {
  readonly projectDir: string;
  readonly state: ProjectState;
  readonly name: string;
  readonly publicKeySha256: string;
  readonly now: Date;
}): Promise<NameVerdict> {
  const { projectDir, state, name, publicKeySha256, now } = init;
  const approved = await readApprovedKeys(projectDir, name);
  const isRevoked = (serial: string): boolean => state.revoked.some(({ serials }) => serials.includes(serial));
  const ofKey = approvedKeys(approved).filter(({ public_key_sha256 }) => public_key_sha256 === publicKeySha256);
  if (ofKey.some(({ serial }) => isRevoked(serial))) return "revoked";
  if (approved?.public_key_sha256 === publicKeySha256) return "free";
  const live = state.issued.some(
    (entry) => entry.name.toLowerCase() === name.toLowerCase() && entry.notAfterMs > now.getTime() && !isRevoked(entry.serial),
  );
  return live ? "taken" : "free";
}

/** Older ones have ended long since, at a new key each day for a third of a year. */
const mostEarlier = 100;

/** Remembers for which key a certificate was issued. */
export async function rememberApprovedKey(projectDir: string, name: string, record: ApprovedKey): Promise<void> {
  const keys: ApprovedKeys = { ...record, earlier: approvedKeys(await readApprovedKeys(projectDir, name)).slice(0, mostEarlier) };
  await writeDurably(recordFile(projectDir, name), `${JSON.stringify(keys, undefined, 2)}\n`);
}

/** All keys of a name, the last one first. */
function approvedKeys(approved: ApprovedKeys | undefined): readonly ApprovedKey[] {
  if (approved === undefined) return [];
  const { earlier = [], ...last } = approved;
  return [last, ...earlier];
}

async function readApprovedKeys(projectDir: string, name: string): Promise<ApprovedKeys | undefined> {
  const file = recordFile(projectDir, name);
  try {
    return JSON.parse(await readFile(file, "utf8")) as ApprovedKeys;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new FlareError("request/authority-invalid", `${file} cannot be read.`, { cause, facts: { file } });
  }
}

/** Names that differ in capital letters only would be one file on some systems, and are one participant to people. */
function recordFile(projectDir: string, name: string): string {
  return join(projectDir, "state", "approved", `${name.toLowerCase()}.json`);
}
