import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { FlareError } from "@flare-ts/contracts";
import { writeDurably } from "../kit/write-durably.js";

/** Folder of an authority that holds a record for each name. */
export const issuedFolder = "issued";

/** What an authority remembers of a certificate that it issued; the last one of each name. */
export interface IssuedRecord {
  readonly name: string;
  readonly request_id: string;
  readonly public_key_sha256: string;
  readonly serial: string;
  readonly valid_until: string;
}

/** The last certificate that was issued for a name; `undefined` when none was. */
export async function readIssued(authorityDir: string, name: string): Promise<IssuedRecord | undefined> {
  const file = recordFile(authorityDir, name);
  try {
    return JSON.parse(await readFile(file, "utf8")) as IssuedRecord;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new FlareError("request/authority-invalid", `${file} cannot be read.`, { cause, facts: { file } });
  }
}

/** Remembers a certificate. */
export async function recordIssued(authorityDir: string, record: IssuedRecord): Promise<void> {
  await mkdir(join(authorityDir, issuedFolder), { recursive: true, mode: 0o700 });
  await writeDurably(recordFile(authorityDir, record.name), `${JSON.stringify(record, undefined, 2)}\n`);
}

/** Names that differ in capital letters only would be one kit's folder on some systems, and one participant to people. */
function recordFile(authorityDir: string, name: string): string {
  return join(authorityDir, issuedFolder, `${name.toLowerCase()}.json`);
}
