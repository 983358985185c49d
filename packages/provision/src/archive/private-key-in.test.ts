import { generateKeyPairSync, randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { hasPrivateKey, isKeyName } from "./private-key-in.js";

const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
const ec = generateKeyPairSync("ec", { namedCurve: "P-256" });
const ed = generateKeyPairSync("ed25519");
const bytesOf = (text: string): Buffer => Buffer.from(text);

const pkcs8 = rsa.privateKey.export({ type: "pkcs8", format: "pem" }).toString();
const encrypted = { cipher: "aes-256-cbc", passphrase: "x" };
const body = pkcs8.replace(/-----.*-----\n/g, "");
const found: readonly (readonly [string, Buffer])[] = [
  ["PKCS #8 in PEM", bytesOf(pkcs8)],
  ["PKCS #1 in PEM", bytesOf(rsa.privateKey.export({ type: "pkcs1", format: "pem" }).toString())],
  ["SEC1 in PEM", bytesOf(ec.privateKey.export({ type: "sec1", format: "pem" }).toString())],
  ["encrypted PKCS #8 in PEM", bytesOf(rsa.privateKey.export({ type: "pkcs8", format: "pem", ...encrypted }).toString())],
  ["PKCS #8 in DER", rsa.privateKey.export({ type: "pkcs8", format: "der" })],
  ["PKCS #1 in DER", rsa.privateKey.export({ type: "pkcs1", format: "der" })],
  ["SEC1 in DER", ec.privateKey.export({ type: "sec1", format: "der" })],
  ["Ed25519 in DER", ed.privateKey.export({ type: "pkcs8", format: "der" })],
  ["encrypted PKCS #8 in DER", rsa.privateKey.export({ type: "pkcs8", format: "der", ...encrypted })],
  // The beginning of what `openssl pkcs12 -export` writes.
  ["PKCS #12", Buffer.from("30820a1f020103308209d506092a864886f70d010701a08209c6048209c2308209be", "hex")],
  ["JWK", bytesOf(JSON.stringify(ec.privateKey.export({ format: "jwk" })))],
  ["OpenSSH", bytesOf("-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl")],
  ["PGP", bytesOf("-----BEGIN PGP PRIVATE KEY BLOCK-----\n")],
  ["PuTTY", bytesOf("PuTTY-User-Key-File-3: ssh-ed25519")],
  ["after other text", bytesOf(`name: hospital-a\n${pkcs8}`)],
  ["inside JSON", bytesOf(JSON.stringify({ note: pkcs8 }))],
  ["UTF-16", Buffer.from(pkcs8, "utf16le")],
  ["without its labels", bytesOf(body)],
  ["as a certificate", bytesOf(pkcs8.replaceAll("PRIVATE KEY", "CERTIFICATE"))],
  ["base64 of the PEM", bytesOf(bytesOf(pkcs8).toString("base64"))],
  ["base64url of the DER", bytesOf(rsa.privateKey.export({ type: "pkcs8", format: "der" }).toString("base64url"))],
];

describe("a private key", () => {
  it.each(found)("is found: %s", (_what, bytes) => {
    expect(hasPrivateKey(bytes)).toBe(true);
  });

  it("is found and not found in files of any length, whatever they are filled with", () => {
    const encoded = bytesOf(bytesOf(pkcs8).toString("base64"));
    for (const letter of ["A", "\n", "-"]) {
      const filled = Buffer.alloc(17 * 1024 * 1024, letter);
      expect(hasPrivateKey(filled)).toBe(false);
      // Where it is looked at piece by piece. In a run of letters of base64 what is encoded begins at every fourth.
      for (const [at, key] of [
        [4 * 1024 * 1024 - 100, bytesOf(pkcs8)],
        [8 * 1024 * 1024 - 400 * 1024, encoded],
      ] as const) {
        const withKey = Buffer.from(filled);
        key.copy(withKey, at);
        expect(hasPrivateKey(withKey)).toBe(true);
      }
    }
  });

  it("is not seen in public keys, text and noise", () => {
    const others = [
      bytesOf(rsa.publicKey.export({ type: "spki", format: "pem" }).toString()),
      rsa.publicKey.export({ type: "spki", format: "der" }),
      bytesOf(JSON.stringify(ec.publicKey.export({ format: "jwk" }))),
      bytesOf("A private key never leaves the participant."),
      randomBytes(100_000),
      bytesOf(randomBytes(100_000).toString("base64")),
      new Uint8Array(),
    ];
    expect(others.map((bytes) => hasPrivateKey(bytes))).toEqual(others.map(() => false));
  });

  it("is looked for in a time that goes with the length", () => {
    const pieces = ['"kty":', '{"d":"', "-----", "-----BEGIN ", "MAAAA".repeat(14), "0\x82\x01\x00", "\\n"];
    // What begins as a key does and is none: longer than what there is, and of the right length.
    const keyless = [`${body.replaceAll("\n", "").slice(0, 64)}\x01`, `MC4CAQAwBQYDK2Vw${"A".repeat(48)}\x01`];
    const hostile = [...pieces, ...keyless].map((piece) => bytesOf(piece.repeat(Math.ceil(2_000_000 / piece.length))));
    for (const bytes of hostile) {
      const start = performance.now();
      hasPrivateKey(bytes);
      expect(performance.now() - start).toBeLessThan(2_000);
    }
  });

  it("has a name that gives it away", () => {
    expect(["a.key", "x/A.KEY", "b.p12", "c.pfx", "x/id_ed25519"].filter((name) => !isKeyName(name))).toEqual([]);
    expect(["a.csr", "key.json", "monkey", "rootCA.pem"].filter(isKeyName)).toEqual([]);
  });
});
