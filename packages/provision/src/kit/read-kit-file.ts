import { X509Certificate } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { FlareError } from "@flare-ts/contracts";

/**
 * Reads a text file of a kit.
 *
 * @throws FlareError `kit/file-missing`, `file/unreadable`.
 */
export async function readKitFile(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") {
      throw new FlareError("kit/file-missing", `${file} is missing.`, { cause, facts: { file } });
    }
    throw new FlareError("file/unreadable", `Cannot read ${file}.`, { cause, facts: { file } });
  }
}

/**
 * Reads a certificate of a kit.
 *
 * @throws FlareError `kit/certificate-unreadable`.
 */
export function parseCertificate(pem: string, file: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (cause) {
    throw new FlareError("kit/certificate-unreadable", `${file} is not a certificate.`, { cause, facts: { file } });
  }
}

/**
 * Refuses a private key that others can read. Group and others get nothing: whoever reads the key is the participant. Windows keeps no such mode.
 *
 * @throws FlareError `kit/key-exposed`
 */
export async function refuseExposedKey(file: string): Promise<void> {
  if (process.platform === "win32") return;
  const mode = (await stat(file)).mode & 0o777;
  if ((mode & 0o077) === 0) return;
  throw new FlareError(
    "kit/key-exposed",
    `The private key ${file} has mode ${mode.toString(8).padStart(4, "0")}, so that other accounts can use it; run: chmod 600 '${file}'`,
    { facts: { file, mode: mode.toString(8).padStart(4, "0") } },
  );
}
