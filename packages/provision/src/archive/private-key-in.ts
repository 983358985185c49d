import { createPrivateKey } from "node:crypto";

/** Texts that only stand in files with a private key, whatever tool made them. */
const marks: readonly RegExp[] = [
  /-----\s*BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY/i,
  /---- BEGIN SSH2 ENCRYPTED PRIVATE KEY/i,
  /PuTTY-User-Key-File-/i,
  /openssh-key-v1\0/,
  /AGE-SECRET-KEY-1/i,
];
/** The kind and the private part of a JSON Web Key; one expression for both would take the square of the length. */
const webKeyParts: readonly RegExp[] = [/"kty"\s*:/, /"d"\s*:\s*"/];
/** PKCS #12, in hexadecimal: a sequence that begins with version 3 and the object identifier of PKCS #7 data. */
const pkcs12 = /^30(?:..){1,5}02010330(?:..){1,5}06092a864886f70d0107/;
/** The shortest that a key in DER can be: Ed25519 in PKCS #8. */
const shortestDer = 48;
/** Keys are not longer than this in DER: RSA of 16384 bits. */
const longestDer = 16 * 1024;

/** So much is looked at at once: an expression that takes many millions of letters in a row runs out of room. A multiple of 4, for base64. */
const pieceBytes = 4 * 1024 * 1024;
/** Pieces share so much: more than a key takes, in UTF-16 and base64 of PEM. */
const sharedBytes = 256 * 1024;
/** What begins as so many keys, and cannot be read as one, was made for us to lose time with. */
const mostTries = 1_000;

/**
 * Whether bytes are, or hold, a private key: in PEM or DER, PKCS #1, #8 or #12, SEC1, OpenSSH, PuTTY, PGP or JWK; encrypted
 * or not; also when the text is UTF-16, has its lines joined, or is base64 again.
 */
export function hasPrivateKey(bytes: Uint8Array): boolean {
  const tries: Tries = { count: 0 };
  if (isDerKey(bytes, tries) || isPkcs12(bytes)) return true;
  for (let from = 0; ; from += pieceBytes - sharedBytes) {
    if (holdsKey(bytes.subarray(from, from + pieceBytes), from > 0, tries)) return true;
    if (from + pieceBytes >= bytes.length) return false;
  }
}

/** Keys that were tried to be read. */
interface Tries {
  count: number;
}

function holdsKey(piece: Uint8Array, isLaterPiece: boolean, tries: Tries): boolean {
  const text = Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength).toString("latin1");
  return hasKeyText(text) || (text.includes("\0") && hasKeyText(text.replaceAll("\0", ""))) || hasEncodedKey(text, isLaterPiece, tries);
}

/** Whether a file has a name that only private keys have. */
export function isKeyName(path: string): boolean {
  return /\.(?:key|p12|pfx|ppk|jks)$|(?:^|\/)id_(?:rsa|dsa|ecdsa|ed25519)$/i.test(path);
}

function hasKeyText(text: string): boolean {
  return marks.some((mark) => mark.test(text)) || webKeyParts.every((part) => part.test(text));
}

function isPkcs12(bytes: Uint8Array): boolean {
  return pkcs12.test(Buffer.from(bytes.subarray(0, 40)).toString("hex"));
}

/** How keys begin in DER: a sequence, and in it a version, or the scheme of an encryption (PKCS #5 or #12). */
const derKey = /^30(?:([0-7].)|81(..)|82(....)|83(.{6})|84(.{8}))(?:02010[01]|30(?:[0-7].|81..|82....)060[9a]2a864886f70d01(?:05|0c))/;

function isDerKey(bytes: Uint8Array, tries: Tries): boolean {
  if (bytes[0] !== 0x30 || bytes.length < shortestDer || bytes.length > longestDer) return false;
  const [, ...lengths] = derKey.exec(Buffer.from(bytes.subarray(0, 40)).toString("hex")) ?? [];
  const length = lengths.find((each) => each !== undefined);
  if (length === undefined || Number.parseInt(length, 16) > bytes.length) return false;
  tries.count += 1;
  if (tries.count > mostTries) return true;
  const key = Buffer.from(bytes);
  return (["pkcs8", "pkcs1", "sec1"] as const).some((type) => {
    try {
      createPrivateKey({ key, format: "der", type });
      return true;
    } catch (cause) {
      // An encrypted PKCS #8: readable but for the passphrase.
      return (cause as NodeJS.ErrnoException).code === "ERR_MISSING_PASSPHRASE";
    }
  });
}

/** Keys that stand in a text as base64, their PEM's labels cut off or encoded too. */
function hasEncodedKey(text: string, isLaterPiece: boolean, tries: Tries): boolean {
  // Line breaks may be real, or written \n as in JSON.
  const joined = text.replace(/\\r|\\n|[\r\n]+[ \t]*/g, "");
  for (const alphabet of [/[A-Za-z0-9+/]{64,}/g, /[A-Za-z0-9_-]{64,}/g]) {
    for (const { 0: run, index } of joined.matchAll(alphabet)) {
      // One that began before this piece may be cut within four letters, which stand for three bytes.
      for (const cut of isLaterPiece && index === 0 ? [0, 1, 2, 3] : [0]) {
        const decoded = Buffer.from(run.slice(cut), "base64");
        if (isDerKey(decoded, tries) || isPkcs12(decoded) || hasKeyText(decoded.toString("latin1"))) return true;
      }
    }
  }
  return false;
}
