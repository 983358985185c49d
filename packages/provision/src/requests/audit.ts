import { randomUUID } from "node:crypto";
import { rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { makeFolder } from "../kit/make-folder.js";

/** Where a copy of what was asked for and approved was written; `problem` where it could not be. */
export type AuditOutcome = { readonly file: string } | { readonly problem: string };

/** Path of the record of a request. */
export function requestAuditFile(home: string, requestId: string): string {
  return join(home, "cert_requests", requestId, "audit.json");
}

/** Path of the record of an approval. */
export function approvalAuditFile(home: string, requestId: string): string {
  return join(home, "cert_approves", `${requestId}.json`);
}

/**
 * Writes a record for later, readable for its owner only. What was done is done: a record that cannot be written is a
 * warning and no failure.
 */
export async function writeAudit(file: string, record: object): Promise<AuditOutcome> {
  const draft = `${file}.${randomUUID()}.part`;
  try {
    await makeFolder(dirname(file), { mode: 0o700 });
    await writeFile(draft, `${JSON.stringify(record, undefined, 2)}\n`, { flag: "wx", mode: 0o600, flush: true });
    await rename(draft, file);
    return { file };
  } catch (cause) {
    return { problem: `The record ${file} could not be written: ${cause instanceof Error ? cause.message : String(cause)}` };
  } finally {
    await rm(draft, { force: true });
  }
}
