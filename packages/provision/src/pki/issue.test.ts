import { execFile } from "node:child_process";
import { createPrivateKey, generateKeyPairSync, sign, X509Certificate } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { type KeyType, keyTypes } from "@flare-ts/contracts";
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { errorOf } from "../../test/error-of.js";
import { temporaryFolder } from "../../test/temporary-folder.js";
import { type Issuer, issueIntermediate, issueRoot } from "./certificate.js";
import { issueFromRequest } from "./issue-from-request.js";
import { createKeyPair, type KeyPair, keyPairFromPem, privateKeyPem } from "./key-pair.js";
import { fromPem, toPem } from "./pem.js";
import { readSubject } from "./read-certificate.js";
import { readRequest } from "./read-request.js";
import { createRequest } from "./request.js";
import { issueRevocationList } from "./revocation-list.js";

const openssl = async (...args: string[]): Promise<string> => (await promisify(execFile)("openssl", args)).stdout;
const dayMs = 24 * 60 * 60 * 1000;
const from = new Date(Date.now() - dayMs);
const validity = { from, to: new Date(from.getTime() + 30 * dayMs) };
const subject = { commonName: "site é@1", org: 'größe, 1 + "2"', role: "client" };

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let keys: Record<KeyType, KeyPair>;
let roots: Record<KeyType, Issuer>;
beforeAll(async () => {
  folder = await temporaryFolder();
  const made = await Promise.all(keyTypes.map(async (type) => [type, await createKeyPair(type)] as const));
  keys = Object.fromEntries(made) as typeof keys;
  roots = Object.fromEntries(
    await Promise.all(
      made.map(async ([type, pair]) => {
        const certificatePem = await issueRoot({ subject: { commonName: `root_${type}` }, ...pair, validity });
        return [type, { certificatePem, privateKey: pair.privateKey }] as const;
      }),
    ),
  ) as typeof roots;
});
afterAll(async () => {
  await folder.remove();
});

const put = async (name: string, text: string): Promise<string> => {
  const path = join(folder.dir, name);
  await writeFile(path, text);
  return path;
};
const ask = async (type: KeyType): Promise<string> => await createRequest({ subject, keyPair: keys[type] });
const verify = async (root: string, chain: string, ...more: string[]): Promise<string> => {
  const [rootFile, chainFile] = await Promise.all([put("root.pem", root), put("chain.pem", chain)]);
  return await openssl("verify", "-x509_strict", ...more, "-CAfile", rootFile, "-untrusted", chainFile, chainFile);
};
const below = keyTypes.flatMap((ca) => keyTypes.map((leaf): [KeyType, KeyType] => [ca, leaf]));

describe("certificates", () => {
  it.each(below)("of an authority with %s for a key %s pass OpenSSL's strict check, the intermediate included", async (ca, leaf) => {
    const issuer = roots[ca];
    const middleKey = keys[leaf];
    const middle = await issueIntermediate({
      commonName: "issuer of server1",
      mayIssue: ["client", "relay"],
      ...middleKey,
      validity,
      issuer,
    });
    const csrPem = await ask(leaf);
    const intermediate = { certificatePem: middle, privateKey: middleKey.privateKey };
    for (const by of [issuer, intermediate]) {
      const chain = await issueFromRequest({ csrPem, issuer: by, subject, validity, hosts: ["a.example.org", "::1"], purpose: "relay" });
      expect(chain.match(/BEGIN/g)).toHaveLength(by === issuer ? 1 : 2);
      for (const purpose of ["sslserver", "sslclient"]) {
        expect(await verify(issuer.certificatePem, chain, "-purpose", purpose)).toContain("OK");
      }
      const certificate = new X509Certificate(chain);
      expect(readSubject(certificate)).toEqual(subject);
      expect(certificate.subjectAltName).toBe("DNS:a.example.org, IP Address:0:0:0:0:0:0:0:1");
      expect(certificate.checkPrivateKey(keys[leaf].privateKey)).toBe(true);
      const text = await openssl("x509", "-in", join(folder.dir, "chain.pem"), "-noout", "-text");
      expect(text).toMatch(new RegExp(`Key Usage: critical\\s+Digital Signature${leaf === "p256" ? "" : ", Key Encipherment"}\n`));
    }
    expect(readSubject(new X509Certificate(middle)).role).toBe("issuer:client,relay");
    await expect(verify(roots[ca === "p256" ? "rsa-2048" : "p256"].certificatePem, middle)).rejects.toThrow("error 20");
  });

  it("cannot be issued by a participant, nor by an authority below the server's intermediate", async () => {
    const csrPem = await ask("p256");
    const root = roots["rsa-2048"];
    const pair = keys.p256;
    const middle = await issueIntermediate({ commonName: "middle", mayIssue: ["client"], ...pair, validity, issuer: root });
    const deeper = await issueIntermediate({
      commonName: "deeper",
      mayIssue: ["client"],
      ...keys["rsa-2048"],
      validity,
      issuer: { certificatePem: middle, privateKey: pair.privateKey },
    });
    const leaf = await issueFromRequest({
      csrPem,
      issuer: { certificatePem: `${deeper}${middle}`, privateKey: keys["rsa-2048"].privateKey },
      subject,
      validity,
      hosts: ["a"],
      purpose: "client",
    });
    await expect(verify(root.certificatePem, leaf)).rejects.toThrow("error 25");
    const participant = await issueFromRequest({ csrPem, issuer: root, subject, validity, hosts: ["a"], purpose: "client" });
    const forged = await issueFromRequest({
      csrPem,
      issuer: { certificatePem: participant, privateKey: pair.privateKey },
      subject: { ...subject, commonName: "another" },
      validity,
      hosts: ["a"],
      purpose: "client",
    });
    await expect(verify(root.certificatePem, forged)).rejects.toThrow(/error (24|79)/);
  });

  it("never outlive the chain above them", async () => {
    const to = new Date(from.getTime() + 3 * dayMs);
    const middle = await issueIntermediate({
      commonName: "m",
      mayIssue: [],
      ...keys.p256,
      validity: { from, to },
      issuer: roots.p256,
    });
    const issuer = { certificatePem: middle, privateKey: keys.p256.privateKey };
    const chain = await issueFromRequest({ csrPem: await ask("p256"), issuer, subject, validity, hosts: ["a"], purpose: "client" });
    expect(new X509Certificate(chain).validToDate.getTime()).toBe(Math.floor(to.getTime() / 1000) * 1000);
  });

  it.each(keyTypes)("of %s reach beyond 2050", async (type) => {
    const pem = await issueRoot({
      subject: { commonName: "long" },
      ...keys[type],
      validity: { from, to: new Date("2077-05-06T07:08:09Z") },
    });
    expect(new X509Certificate(pem).validToDate).toEqual(new Date("2077-05-06T07:08:09Z"));
  });

  it("come from an authority of OpenSSL's with a name of several parts, byte by byte", async () => {
    const [key, certificate] = [join(folder.dir, "other.key"), join(folder.dir, "other.pem")];
    const usage = ["-addext", "keyUsage=critical,keyCertSign,cRLSign"];
    const name = ["-multivalue-rdn", "-subj", "/C=DE/O=Example AG+OU=Ärzte/CN=Root 1"];
    await openssl(
      "req",
      "-x509",
      "-utf8",
      "-newkey",
      "rsa:2048",
      "-nodes",
      "-keyout",
      key,
      "-out",
      certificate,
      "-days",
      "9",
      ...name,
      ...usage,
    );
    const issuer = { certificatePem: await readFile(certificate, "utf8"), privateKey: createPrivateKey(await readFile(key)) };
    for (const type of ["rsa-2048", "p256"] as const) {
      const chain = await issueFromRequest({ csrPem: await ask(type), issuer, subject, validity, hosts: ["a"], purpose: "client" });
      expect(await verify(issuer.certificatePem, chain)).toContain("OK");
    }
  });
});

describe("private keys in PEM", () => {
  it.each(keyTypes)("of %s are read again as they were", (type) => {
    const pem = privateKeyPem(keys[type]);
    expect(pem).toMatch(type === "p256" ? /^-----BEGIN PRIVATE KEY-----\n/ : /^-----BEGIN RSA PRIVATE KEY-----\n/);
    expect(keyPairFromPem(pem).publicKey.equals(keys[type].publicKey)).toBe(true);
  });
});

describe("revocation lists", () => {
  it.each(keyTypes)("of an authority with %s are OpenSSL's too, and it refuses what they name", async (type) => {
    const issuer = roots[type];
    const csrPem = await ask("p256");
    const issue = async (): Promise<string> =>
      await issueFromRequest({ csrPem, issuer, subject, validity, hosts: ["a"], purpose: "client" });
    const [good, bad] = [await issue(), await issue()];
    const { serialNumber } = new X509Certificate(bad);
    const crl = await issueRevocationList({
      issuer,
      number: 300,
      from,
      nextUpdate: validity.to,
      revoked: [{ serialNumber, at: from, reason: "keyCompromise" }],
    });
    expect(crl).toMatch(/^-----BEGIN X509 CRL-----\n/);
    const file = await put("crl.pem", crl);
    const rootFile = await put("crl-root.pem", issuer.certificatePem);
    const text = await openssl("crl", "-in", file, "-noout", "-text", "-CAfile", rootFile);
    expect(text).toContain(`Serial Number: ${serialNumber}`);
    expect(text).toMatch(/CRL Reason Code: \s+Key Compromise/);
    expect(text).toMatch(/CRL Number: \s+300/);
    expect(await verify(issuer.certificatePem, good, "-crl_check", "-CRLfile", file)).toContain("OK");
    await expect(verify(issuer.certificatePem, bad, "-crl_check", "-CRLfile", file)).rejects.toThrow("error 23");
  });
});

describe("requests", () => {
  it.each(keyTypes)("with a key %s are OpenSSL's too, and are read with their subject", async (type) => {
    const csrPem = await ask(type);
    const text = await openssl("req", "-in", await put("csr.pem", csrPem), "-noout", "-verify", "-subject");
    expect(text).toContain("unstructuredName = client");
    const request = readRequest(csrPem);
    expect(request.subject).toEqual(subject);
    expect(request.publicKey.equals(keys[type].publicKey)).toBe(true);
  });

  it("of OpenSSL are read, whatever else they ask for, and none of it is granted", async () => {
    const key = join(folder.dir, "own.key");
    const extra = ["-addext", "basicConstraints=critical,CA:TRUE", "-addext", "subjectAltName=DNS:evil.example.org"];
    const csrPem = await openssl("req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-subj", "/CN=x/O=y", ...extra);
    expect(readRequest(csrPem).subject).toEqual({ commonName: "x", org: "y", role: "" });
    const issuer = roots["rsa-2048"];
    const certificate = new X509Certificate(
      await issueFromRequest({ csrPem, issuer, subject, validity, hosts: ["a.example.org"], purpose: "client" }),
    );
    expect([certificate.ca, certificate.subjectAltName]).toEqual([false, "DNS:a.example.org"]);
  });

  const refusal = async (csrPem: string): Promise<string> => (await errorOf(Promise.resolve().then(() => readRequest(csrPem)))).code;

  it("with weak or unusual keys are refused", async () => {
    const weak = [
      generateKeyPairSync("rsa", { modulusLength: 1024 }),
      generateKeyPairSync("rsa", { modulusLength: 2048, publicExponent: 3 }),
      generateKeyPairSync("ec", { namedCurve: "secp256k1" }),
      generateKeyPairSync("ed25519"),
    ];
    const [template] = fromPem("CERTIFICATE REQUEST", await ask("p256"));
    const spki = keys.p256.publicKey.export({ type: "spki", format: "der" });
    if (template === undefined) throw new Error("no request");
    for (const { publicKey } of weak) {
      const [start, end] = [template.subarray(0, template.indexOf(spki)), template.subarray(template.indexOf(spki) + spki.length)];
      const other = publicKey.export({ type: "spki", format: "der" });
      expect(await refusal(toPem("CERTIFICATE REQUEST", withLengths(start, other, end)))).toBe("certificate/key-refused");
    }
  });

  it("signed with another key than their own are refused", async () => {
    const [a, b] = [await createKeyPair("p256"), await createKeyPair("p256")];
    const csrPem = await createRequest({ subject, keyPair: { publicKey: a.publicKey, privateKey: b.privateKey } });
    expect(await refusal(csrPem)).toBe("certificate/request-invalid");
  });

  it("with more than one request, too much of it, or none are refused", async () => {
    const csrPem = await ask("p256");
    for (const text of ["", "x", csrPem + csrPem, csrPem.padEnd(17 * 1024), roots.p256.certificatePem]) {
      expect(await refusal(text)).toBe("certificate/request-invalid");
    }
  });

  it("changed in any byte, cut off or lengthened are refused by an error of ours, whatever was changed", async () => {
    const originals = await Promise.all(
      keyTypes.map(async (type) => fromPem("CERTIFICATE REQUEST", await ask(type))[0] ?? Buffer.alloc(0)),
    );
    const change = fc.record({
      which: fc.nat({ max: keyTypes.length - 1 }),
      edits: fc.array(
        fc.record({ at: fc.nat({ max: 4000 }), byte: fc.nat({ max: 255 }), kind: fc.constantFrom("set", "insert", "remove", "cut") }),
        {
          minLength: 1,
          maxLength: 4,
        },
      ),
    });
    await fc.assert(
      fc.asyncProperty(change, async ({ which, edits }) => {
        const original = originals[which] ?? Buffer.alloc(0);
        const changed = edits.reduce((bytes, { at, byte, kind }) => {
          const place = at % (bytes.length + 1);
          const [before, after] = [bytes.subarray(0, place), bytes.subarray(place)];
          if (kind === "cut") return before;
          if (kind === "insert") return Buffer.concat([before, Buffer.from([byte]), after]);
          return Buffer.concat([before, kind === "set" ? Buffer.from([byte]) : Buffer.alloc(0), after.subarray(1)]);
        }, original);
        if (changed.equals(original)) return;
        expect(["certificate/request-invalid", "certificate/key-refused"]).toContain(await refusal(toPem("CERTIFICATE REQUEST", changed)));
      }),
      { numRuns: Number(process.env["FLARE_MUTATIONS"] ?? 1000) },
    );
  });
});

/** Puts another key into a request and corrects the lengths around it; the signature is wrong then. */
function withLengths(start: Buffer, key: Buffer, end: Buffer): Buffer {
  const headerOf = (length: number): Buffer => {
    if (length < 0x80) return Buffer.from([0x30, length]);
    return Buffer.from(length < 0x100 ? [0x30, 0x81, length] : [0x30, 0x82, length >> 8, length & 0xff]);
  };
  const skip = (bytes: Buffer): Buffer => bytes.subarray(2 + ((bytes[1] ?? 0) < 0x80 ? 0 : (bytes[1] ?? 0) & 0x7f));
  const name = skip(skip(start));
  const bodyEnd = end.subarray(0, 2);
  const body = Buffer.concat([name, key, bodyEnd]);
  const rest = Buffer.concat([headerOf(body.length), body, end.subarray(2)]);
  return Buffer.concat([headerOf(rest.length), rest]);
}

describe("signatures of requests", () => {
  it("are checked over the very bytes that were signed", async () => {
    const [der] = fromPem("CERTIFICATE REQUEST", await ask("rsa-2048"));
    if (der === undefined) throw new Error("no request");
    const { privateKey } = keys["rsa-2048"];
    const renamed = Buffer.from(der.toString("latin1").replace("client", "server"), "latin1");
    expect((await errorOf(Promise.resolve().then(() => readRequest(toPem("CERTIFICATE REQUEST", renamed))))).message).toContain(
      "signature",
    );
    const body = renamed.subarray(4, renamed.length - 256 - 5 - 15);
    renamed.set(sign("sha256", body, privateKey), renamed.length - 256);
    expect(readRequest(toPem("CERTIFICATE REQUEST", renamed)).subject.role).toBe("server");
  });
});
