import type { KeyObject } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { FlareError, readDocument, signaturesSchema } from "@flare-ts/contracts";
import { isSignedBy } from "./signature.js";
import { signatureFile } from "./signature-file.js";

/**
 * Makes sure that a folder holds exactly what its `signature.json` speaks of, unchanged, and so does every folder inside; any of the
 * given keys may have signed.
 *
 * @throws FlareError `kit/signature-missing`, `kit/invalid`, `kit/signature-mismatch`, `kit/signed-file-missing`,
 * `kit/unsigned-file`; each names the file.
 */
export async function verifyFolder(dir: string, signers: readonly KeyObject[]): Promise<void> {
  const entries = await readdir(dir, { withFileTypes: true });
  const { signatures, isAsWritten } = await readSignatures(join(dir, signatureFile));
  const folders = new Set(entries.filter((entry) => entry.isDirectory()).map(({ name }) => name));
  const names = new Set(entries.map(({ name }) => name));
  for (const [name, signature] of signatures) {
    const file = join(dir, name);
    if (!names.has(name))
      throw new FlareError("kit/signed-file-missing", `${file} was signed with the kit and is missing.`, { facts: { file } });
    const content = folders.has(name) ? Buffer.from(name, "utf8") : await readFile(file);
    if (!signers.some((signer) => isSignedBy(content, Buffer.from(signature, "base64"), signer))) {
      throw changedAfterSigning(file);
    }
  }
  for (const name of names) {
    if (name === signatureFile || signatures.has(name)) continue;
    const file = join(dir, name);
    throw new FlareError("kit/unsigned-file", `${file} was not signed with the kit.`, { facts: { file } });
  }
  for (const name of folders) await verifyFolder(join(dir, name), signers);
  if (!isAsWritten) throw changedAfterSigning(join(dir, signatureFile));
}

/** The signatures of a folder by file, and whether they stand there as they are written. @throws FlareError `kit/…` */
export async function readSignatures(
  file: string,
): Promise<{ readonly signatures: ReadonlyMap<string, string>; readonly isAsWritten: boolean }> {
  const text = await readFile(file, "utf8").catch((cause: unknown) => {
    throw new FlareError("kit/signature-missing", `${file} is missing.`, { cause, facts: { file } });
  });
  const signatures = readDocument({ text, file, schema: signaturesSchema, code: "kit/invalid" }).value;
  return { signatures: new Map(Object.entries(signatures)), isAsWritten: text === canonical(signatures) };
}

/** Nobody signs the signatures themselves; there is one way to write them, so that each byte of theirs counts too. */
function canonical(signatures: Readonly<Record<string, string>>): string {
  const entries = Object.entries(signatures).map(([name, text]) => [name, Buffer.from(text, "base64").toString("base64")]);
  return `${JSON.stringify(Object.fromEntries(entries), undefined, 2)}\n`;
}

/** The error for a file of a kit that is not as it was signed. */
export function changedAfterSigning(file: string, cause?: unknown): FlareError {
  return new FlareError("kit/signature-mismatch", `${file} was changed after the kit was signed.`, { cause, facts: { file } });
}
