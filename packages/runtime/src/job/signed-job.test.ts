import { execFileSync } from "node:child_process";
import { constants, randomUUID, sign } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ContentHash, FlareError } from "@flare-ts/contracts";
import { ProjectTrust } from "@flare-ts/provision/kit";
import { assert, integer, nat, property } from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { encodeManifest } from "./job-manifest.js";
import { createSignedJob, verifySignedJob } from "./signed-job.js";

const dayMs = 86_400_000;

interface Signer {
  readonly certificatePem: string;
  readonly privateKeyPem: string;
}

let folder = "";
let nowMs = 0;
let root: Signer;
let lead: Signer;
let site: Signer;
let stranger: Signer;
let imitator: Signer;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "flare-signed-job-"));
  root = makeRoot("root", "hospitals");
  makeRoot("other", "hospitals");
  lead = makeLeaf("lead", "/CN=lead@a.org/O=clinic_a/unstructuredName=lead", "root");
  site = makeLeaf("site", "/CN=site-1/O=clinic_a/unstructuredName=client", "root");
  imitator = makeLeaf("imitator", "/CN=x\nunstructuredName=project_admin/O=clinic_a", "root");
  stranger = makeLeaf("stranger", "/CN=lead@a.org/O=clinic_a/unstructuredName=lead", "other");
  nowMs = Date.now();
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("signed job", () => {
  it("comes back with its files and who submitted it", () => {
    const jobId = randomUUID();
    const files = [file("b/x"), file("meta.json"), file("a/x")];
    const bytes = createSignedJob({ folder: { folderName: "my_job", files }, jobId, project: "hospitals", submitter: lead, nowMs });
    const { manifest, submitter } = verify(bytes);
    expect(submitter).toEqual({ name: "lead@a.org", org: "clinic_a", role: "lead" });
    expect(manifest).toEqual({
      project: "hospitals",
      jobId,
      study: "default",
      jobFolderName: "my_job",
      createdAtMs: nowMs,
      files: ["a/x", "b/x", "meta.json"].map((path) => ({ path, size: 3, sha256: "0".repeat(64) })),
    });
  });

  it("is refused when any byte of it is changed", () => {
    const bytes = signed();
    assert(
      property(nat(bytes.length - 1), integer({ min: 1, max: 255 }), (at, mask) => {
        const tampered = Buffer.from(bytes);
        tampered[at] = (tampered[at] ?? 0) ^ mask;
        expect(sameDocument(bytes, tampered) ? "same" : codeOf(() => verify(tampered))).toMatch(
          /^same$|^job\/(signature-invalid|signer-untrusted)$/,
        );
      }),
      { numRuns: 300 },
    );
  });

  it("is refused when any byte of its certificate is changed, and the process lives on", () => {
    const envelope = JSON.parse(signed().toString()) as Record<string, string>;
    const der = Buffer.from(lead.certificatePem.split("-----")[2] ?? "", "base64");
    for (let at = 0; at < der.length; at++) {
      const tampered = Buffer.from(der);
      tampered[at] = (tampered[at] ?? 0) ^ 0x55;
      const certificate = `-----BEGIN CERTIFICATE-----\n${tampered.toString("base64")}\n-----END CERTIFICATE-----\n`;
      expect(codeOf(() => verify(Buffer.from(JSON.stringify({ ...envelope, certificate }))))).toMatch(/^job\/sign/);
    }
  });

  it("is refused when its manifest or its signature is another job's", () => {
    const one = JSON.parse(signed().toString()) as Record<string, string>;
    const other = JSON.parse(signed([file("meta.json"), file("app/y")]).toString()) as Record<string, string>;
    expect(codeOf(() => verify(Buffer.from(JSON.stringify({ ...one, manifest: other["manifest"] }))))).toBe("job/signature-invalid");
    expect(codeOf(() => verify(Buffer.from(JSON.stringify({ ...one, signature: other["signature"] }))))).toBe("job/signature-invalid");
  });

  it("is refused for another project, from an unknown authority, from a site, and outside the certificate's time", () => {
    expect(codeOf(() => verifySignedJob({ bytes: signed(), trust: trustOf("banks"), nowMs }))).toBe("job/wrong-project");
    expect(codeOf(() => verify(signed(undefined, stranger)))).toBe("job/signer-untrusted");
    expect(codeOf(() => verify(signed(undefined, site)))).toBe("job/signer-untrusted");
    expect(codeOf(() => verify(signed(undefined, root)))).toBe("job/signer-untrusted");
    expect(codeOf(() => verify(signed(), nowMs + 400 * dayMs))).toBe("job/signer-expired");
    expect(codeOf(() => verify(signed(), nowMs - 2 * dayMs))).toBe("job/signer-expired");
  });

  it("does not take a role out of a name with a line break", () => {
    expect(codeOf(() => verify(signed(undefined, imitator)))).toBe("job/signer-untrusted");
  });

  it("is not made with a key that does not belong to the certificate", () => {
    const mixed = { certificatePem: lead.certificatePem, privateKeyPem: site.privateKeyPem };
    expect(codeOf(() => signed(undefined, mixed))).toBe("job/key-mismatch");
  });

  it.each([
    ["nothing", ""],
    ["no JSON", "hello"],
    ["no signed job", "{}"],
    ["another version", '{"format_version":2,"manifest":"","certificate":"","signature":""}'],
    ["no certificate", '{"format_version":1,"manifest":"","certificate":"","signature":""}'],
    ["loose base64", '{"format_version":1,"manifest":"a b","certificate":"","signature":""}'],
  ])("is refused when it is %s", (_what, text) => {
    expect(codeOf(() => verify(Buffer.from(text)))).toBe("job/signature-invalid");
  });

  it.each([
    ["an absolute path", ["meta.json", "/etc/passwd"]],
    ["a path that leaves the job", ["meta.json", "app/../../x"]],
    ["a backslash", ["meta.json", "app\\..\\x"]],
    ["a drive", ["meta.json", "C:/x"]],
    ["an empty part", ["meta.json", "app//x"]],
    ["a dot", ["meta.json", "./x"]],
    ["a zero byte", ["meta.json", "app/x\0.json"]],
    ["the same path twice", ["meta.json", "app/x", "app/x"]],
    ["paths that differ in case", ["meta.json", "app/x", "app/X"]],
    ["folders that differ in case", ["meta.json", "app/x", "App/y"]],
    ["one name in two Unicode forms", ["meta.json", "app/\u00e9", "app/e\u0301"]],
    ["a file that is a folder too", ["meta.json", "app", "app/x"]],
    ["no meta.json", ["app/x"]],
  ])("is refused with %s, though the signature is right", (_what, paths) => {
    expect(codeOf(() => verify(signed(paths.map((path) => file(path)))))).toBe("job/manifest-invalid");
  });

  it("is refused with more files than a job may have", () => {
    const files = Array.from({ length: 10_001 }, (_, i) => file(i === 0 ? "meta.json" : `app/${i}`));
    expect(codeOf(() => verify(signed(files)))).toBe("job/manifest-invalid");
  });

  it("is refused when the signature lacks the label, as a signature for another purpose would", () => {
    const manifest = encodeManifest({
      project: "hospitals",
      jobId: randomUUID(),
      study: "default",
      jobFolderName: "j",
      createdAtMs: nowMs,
      files: [file("meta.json")],
    });
    const signature = sign("sha256", manifest, {
      key: lead.privateKeyPem,
      padding: constants.RSA_PKCS1_PSS_PADDING,
      saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
    });
    const envelope = {
      format_version: 1,
      manifest: manifest.toString("base64"),
      certificate: lead.certificatePem,
      signature: signature.toString("base64"),
    };
    expect(codeOf(() => verify(Buffer.from(JSON.stringify(envelope))))).toBe("job/signature-invalid");
  });
});

function file(path: string) {
  return { path, size: 3, sha256: "0".repeat(64) as ContentHash, absolutePath: "" };
}

function signed(files = [file("meta.json"), file("app/config/config_fed_server.json")], submitter = lead): Buffer {
  return createSignedJob({ folder: { folderName: "my_job", files }, jobId: randomUUID(), project: "hospitals", submitter, nowMs });
}

function verify(bytes: Buffer, at = nowMs) {
  return verifySignedJob({ bytes, trust: trustOf("hospitals"), nowMs: at });
}

function trustOf(project: string): ProjectTrust {
  return ProjectTrust.from({ project, rootCaPem: root.certificatePem });
}

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (reason) {
    return reason instanceof FlareError ? reason.code : `not a FlareError: ${String(reason)}`;
  }
  return "accepted";
}

/** A line break of the certificate's PEM text may change its kind without changing the certificate. */
function sameDocument(a: Buffer, b: Buffer): boolean {
  try {
    const [one, other] = [a, b].map((bytes) => JSON.parse(bytes.toString()) as Record<string, string>);
    const der = (text = ""): string => Buffer.from(text.split("-----")[2] ?? "", "base64").toString("hex");
    return (
      one !== undefined &&
      other !== undefined &&
      JSON.stringify({ ...one, certificate: der(one["certificate"]) }) ===
        JSON.stringify({ ...other, certificate: der(other["certificate"]) })
    );
  } catch {
    return false;
  }
}

function makeRoot(name: string, project: string): Signer {
  openssl(
    "req",
    "-x509",
    "-newkey",
    "rsa:2048",
    "-nodes",
    "-subj",
    `/CN=${project}`,
    "-days",
    "365",
    "-keyout",
    key(name),
    "-out",
    crt(name),
  );
  return signer(name);
}

function makeLeaf(name: string, subject: string, issuer: string): Signer {
  const request = join(folder, `${name}.csr`);
  const extensions = join(folder, `${name}.ext`);
  writeFileSync(extensions, "basicConstraints=CA:FALSE\n");
  openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", subject, "-keyout", key(name), "-out", request);
  openssl(
    "x509",
    "-req",
    "-in",
    request,
    "-CA",
    crt(issuer),
    "-CAkey",
    key(issuer),
    "-CAcreateserial",
    "-days",
    "360",
    "-extfile",
    extensions,
    "-out",
    crt(name),
  );
  return signer(name);
}

function openssl(...args: string[]): void {
  execFileSync("openssl", args, { stdio: ["ignore", "ignore", "pipe"] });
}

function key(name: string): string {
  return join(folder, `${name}.key`);
}

function crt(name: string): string {
  return join(folder, `${name}.crt`);
}

function signer(name: string): Signer {
  return { certificatePem: readFileSync(crt(name), "utf8"), privateKeyPem: readFileSync(key(name), "utf8") };
}
