import type { KeyObject, X509Certificate } from "node:crypto";
import { FlareError, limits, type TrustList, type TrustListDocument, trustListDocumentSchema, trustListSchema } from "@flare-ts/contracts";
import { fingerprintOf } from "./fingerprint-of.js";
import { parseJson } from "./parse-json.js";
import { isSignedBy, signBytes } from "./signature.js";

/** An authority with its private key, as the holder of the project's CA has it. */
export interface TrustListSigner {
  readonly certificate: X509Certificate;
  readonly privateKey: KeyObject;
  /** For the project's own authority below a root whose key is elsewhere: what stands between the two, the root left out; PEM. */
  readonly intermediatesPem?: string;
}

/** Signs a trust list with every key of an authority that there is; the text is what goes into `trust.json` and over the wire. */
export function signTrustList(document: TrustListDocument, signers: readonly TrustListSigner[]): string {
  const bytes = Buffer.from(JSON.stringify(document));
  const list: TrustList = {
    format_version: 1,
    document: bytes.toString("base64"),
    signatures: signers.map(({ certificate, privateKey, intermediatesPem = "" }) => ({
      root: fingerprintOf(certificate),
      signature: signBytes(signedBytes(bytes), privateKey).toString("base64"),
      ...(certificate.checkIssued(certificate) ? {} : { chain: `${certificate.toString()}${intermediatesPem}` }),
    })),
  };
  return `${JSON.stringify(list)}\n`;
}

/** A trust list that a trusted root has signed. */
export interface OpenTrustList {
  readonly document: TrustListDocument;
  /** The exact bytes that were signed. */
  readonly bytes: Buffer;
}

/** Finds the certificate of a signer by its fingerprint, and its chain where there is one; `undefined` for one that is not trusted. */
export type SignerFinder = (fingerprint: string, chainPem: string | undefined) => X509Certificate | undefined;

/**
 * Opens a trust list: nothing in it is looked at before one that is trusted is found to have signed it.
 *
 * @throws FlareError `trust/list-invalid`, `trust/signature-invalid`
 */
export function openTrustList(text: string, findSigner: SignerFinder): OpenTrustList {
  if (text.length > limits.trustListBytes) throw invalid(`it is longer than ${limits.trustListBytes} bytes`);
  const list = trustListSchema.safeParse(parseJson(text));
  if (!list.success) throw invalid("it does not have the form of one");
  const bytes = decodeBase64(list.data.document);
  const signed = signedBytes(bytes);
  const isGood = list.data.signatures.some(({ root, chain, signature }) => {
    const signer = findSigner(root, chain);
    return signer !== undefined && isSignedBy(signed, Buffer.from(signature, "base64"), signer.publicKey);
  });
  if (!isGood) {
    throw new FlareError("trust/signature-invalid", "The trust list is not signed by a root that is trusted here.", {
      facts: { signedBy: list.data.signatures.map(({ root }) => root) },
    });
  }
  const document = trustListDocumentSchema.safeParse(parseJson(bytes.toString("utf8")));
  if (!document.success) throw invalid(`what was signed is not one: ${document.error.issues[0]?.message ?? ""}`);
  return { document: document.data, bytes };
}

const label = Buffer.from("flare-ts/1 trust\0");

function signedBytes(document: Buffer): Buffer {
  return Buffer.concat([label, document]);
}

/** Node's decoder skips what is not base64; here every byte counts. */
function decodeBase64(text: string): Buffer {
  const bytes = Buffer.from(text, "base64");
  if (bytes.toString("base64") !== text) throw invalid("a part of it is not base64");
  return bytes;
}

function invalid(why: string): FlareError {
  return new FlareError("trust/list-invalid", `This is not a trust list: ${why}.`, { facts: { why } });
}
