import { X509Certificate } from "node:crypto";
import { dirname, resolve } from "node:path";
import type { DocumentPath, Findings } from "./findings.js";
import { readSmallFile } from "./read-small-file.js";

const certificatePattern = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g;

/** Reads the files that `custom_ca_cert` names: certificates and nothing else of them, each file once. */
export class CaCertificates {
  readonly #read = new Map<string, string | undefined>();
  readonly #projectFile: string;
  readonly #findings: Findings;

  constructor(projectFile: string, findings: Findings) {
    this.#projectFile = projectFile;
    this.#findings = findings;
  }

  /** Certificates in PEM; `undefined` when there are none, which is a mistake at the path then. */
  read(file: string, path: DocumentPath): string | undefined {
    const key = JSON.stringify([file, path.map(String)]);
    if (!this.#read.has(key)) this.#read.set(key, this.#open(file, path));
    return this.#read.get(key);
  }

  #open(file: string, path: DocumentPath): string | undefined {
    // FLARE looks from where the command runs; beside the project file is where people expect it.
    const places = [resolve(dirname(this.#projectFile), file), resolve(file)];
    const text = places.map(readSmallFile).find((content) => content !== undefined);
    if (text === undefined) {
      this.#findings.mistake(path, `there is no file ${places[0]} of certificates, or it cannot be read`);
      return undefined;
    }
    const certificates = text.match(certificatePattern) ?? [];
    if (certificates.length === 0 || !certificates.every(isCertificate)) {
      this.#findings.mistake(path, `${file} holds no certificate in PEM, or one that cannot be read`);
      return undefined;
    }
    return `${certificates.map((certificate) => certificate.replaceAll("\r\n", "\n")).join("\n")}\n`;
  }
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).raw.length > 0;
  } catch {
    return false;
  }
}
