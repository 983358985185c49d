import { type KeyObject, X509Certificate } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { type ErrorCode, FlareError } from "@flare-ts/contracts";
import { splitPem } from "../pki/pem.js";
import { approvalFiles } from "./approval-files.js";
import { isSignedBy } from "./signature.js";
import { signatureFile } from "./signature-file.js";
import { changedAfterSigning, readSignatures } from "./verify-folder.js";

/** What a byte that was changed can look like. */
const symptoms: readonly ErrorCode[] = [
  "kit/invalid",
  "kit/not-supported",
  "kit/file-missing",
  "kit/certificate-unreadable",
  "kit/untrusted-certificate",
  "kit/identity-mismatch",
  "kit/key-mismatch",
];

/**
 * What to tell of a kit that cannot be used: the file in `startup` that was changed after the kit was signed, where that is to be seen,
 * and otherwise the problem that was found. It only explains; whom the kit itself names as signers is believed for that.
 */
export async function explainProblem(startupDir: string, problem: unknown): Promise<unknown> {
  if (!(problem instanceof FlareError) || !symptoms.includes(problem.code)) return problem;
  const name = await findEdited(startupDir).catch(() => undefined);
  if (name === undefined) return problem;
  return changedAfterSigning(join(startupDir, name), problem);
}

/** The first file that is not as it was signed, while others are: where none is, it is the signers that are not known. */
async function findEdited(dir: string): Promise<string | undefined> {
  const names = await readdir(dir);
  const { signatures } = await readSignatures(join(dir, signatureFile));
  const signers = await findSigners(dir, names);
  const judged = await Promise.all(
    [...signatures]
      .filter(([name]) => names.includes(name))
      .map(async ([name, signature]) => {
        const [content, bytes] = [await readFile(join(dir, name)), Buffer.from(signature, "base64")];
        return { name, isGood: signers.some((signer) => isSignedBy(content, bytes, signer)) };
      }),
  );
  return judged.some(({ isGood }) => isGood) ? judged.find(({ isGood }) => !isGood)?.name : undefined;
}

/** Keys of the authorities in the kit; of its participant, where that packaged the kit itself. */
async function findSigners(dir: string, names: readonly string[]): Promise<KeyObject[]> {
  const isPackaged = names.includes(approvalFiles.document);
  const texts = await Promise.all(
    names.filter((name) => /\.(?:crt|pem)$/.test(name)).map(async (name) => await readFile(join(dir, name), "utf8")),
  );
  return texts
    .flatMap((text) => splitPem("CERTIFICATE", text))
    .flatMap((pem) => {
      try {
        return [new X509Certificate(pem)];
      } catch {
        return [];
      }
    })
    .filter(({ ca }) => ca !== isPackaged)
    .map(({ publicKey }) => publicKey);
}
