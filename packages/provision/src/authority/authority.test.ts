import { execFile } from "node:child_process";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { cp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { errorOf } from "../../test/error-of.js";
import { provisionExample } from "../../test/provision-example.js";
import { temporaryFolder } from "../../test/temporary-folder.js";
import { readKit } from "../kit/read-kit.js";
import { readRoots } from "../kit/read-roots.js";
import { ProjectTrust } from "../kit/trust.js";
import { verifyKit } from "../kit/verify-kit.js";
import { issueAuthority, issueRoot } from "../pki/certificate.js";
import { createKeyPair, privateKeyPem } from "../pki/key-pair.js";
import { splitPem } from "../pki/pem.js";
import { readSubject } from "../pki/read-certificate.js";
import { readRequest } from "../pki/read-request.js";
import { createRequest } from "../pki/request.js";
import { approveRequest } from "../requests/approve-request.js";
import { requestCertificate } from "../requests/request-certificate.js";
import { kitCertificateStatus, projectCertificateStatus } from "./certificate-status.js";
import { importCa, requestCa, useCa } from "./external-ca.js";
import { revokeParticipant } from "./revoke.js";
import { finishRollover, startRollover } from "./rollover.js";
import { signRenewal } from "./sign-renewal.js";

const openssl = async (...args: string[]): Promise<string> => (await promisify(execFile)("openssl", args)).stdout;
const now = new Date("2026-11-01T12:00:00Z");
const later = (ms: number): Date => new Date(now.getTime() + ms);
const dayMs = 24 * 60 * 60 * 1000;
const project = "example_project";
/** Keys on a curve are made a hundred times as fast. */
const curve = { 24: "      root_valid_days: 360\ncertificates: { key_type: p256 }" };

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeEach(async () => {
  folder = await temporaryFolder();
});
afterEach(async () => {
  await folder.remove();
});

const workspace = (): string => join(folder.dir, "workspace");
const state = (file: string): string => join(workspace(), project, "state", file);
const place = (at = now) => ({ workspace: workspace(), project, caKey: "clear", now: at }) as const;
const provisionAt = async (at = now): Promise<string> => (await provisionExample(folder.dir, curve, { now: at })).prodDir;
const certificateOf = async (prodDir: string, name: string): Promise<string> =>
  await readFile(join(prodDir, name, "startup", name.startsWith("server1") ? "server.crt" : "client.crt"), "utf8");
const trustOf = async (prodDir: string, name = "hospital-a"): Promise<ProjectTrust> =>
  ProjectTrust.from({ project, rootCaPem: await readFile(join(prodDir, name, "startup/rootCA.pem"), "utf8") });
const verdict = (trust: ProjectTrust, chainPem: string, at = now): string => {
  const found = trust.verify(chainPem, { nowMs: at.getTime() });
  return found.ok ? "ok" : found.why;
};

describe("a revocation", () => {
  it("is in the trust list and in a list that OpenSSL goes by, and nobody else is touched", async () => {
    const prodDir = await provisionAt();
    const { serials, trustListText, trustListFile, revocationListFile, number } = await revokeParticipant({
      ...place(later(1000)),
      name: "hospital-a",
      reason: "keyCompromise",
    });
    expect(number).toBe(1);
    expect(await readFile(trustListFile, "utf8")).toBe(trustListText);
    const [revoked, other] = [await certificateOf(prodDir, "hospital-a"), await certificateOf(prodDir, "server1.example.org")];
    expect(serials).toEqual([new X509Certificate(revoked).serialNumber.toLowerCase()]);
    const trust = await trustOf(prodDir);
    expect(trust.accept(trustListText)).toBe("accepted");
    expect([verdict(trust, revoked), verdict(trust, other)]).toEqual(["revoked", "ok"]);
    const check = (file: string): Promise<string> =>
      openssl(
        "verify",
        "-attime",
        String(later(2000).getTime() / 1000),
        "-crl_check",
        "-CRLfile",
        revocationListFile,
        "-CAfile",
        join(prodDir, "hospital-a/startup/rootCA.pem"),
        file,
      );
    expect(await check(join(prodDir, "server1.example.org/startup/server.crt"))).toContain("OK");
    await expect(check(join(prodDir, "hospital-a/startup/client.crt"))).rejects.toThrow("error 23");
    expect(await openssl("crl", "-in", revocationListFile, "-noout", "-text")).toMatch(/Key Compromise/);
  });

  it("of a server takes the intermediate with it that the server issues with", async () => {
    const prodDir = await provisionAt();
    const issuing = await readFile(join(prodDir, "server1.example.org/startup/issuing.crt"), "utf8");
    const { serials } = await revokeParticipant({ ...place(later(1000)), name: "server1.example.org", reason: "keyCompromise" });
    expect(serials).toContain(new X509Certificate(issuing).serialNumber.toLowerCase());
    const again = await provisionAt(later(5000));
    const next = await readFile(join(again, "server1.example.org/startup/issuing.crt"), "utf8");
    expect(new X509Certificate(next).publicKey.equals(new X509Certificate(issuing).publicKey)).toBe(false);
    await verifyKit(await readKit(join(again, "server1.example.org")), { now: later(6000) });
  });

  it("is over for whoever gets another kit, with another key, and the list goes with every kit", async () => {
    const before = await provisionAt();
    await revokeParticipant({ ...place(later(1000)), name: "hospital-a", reason: "keyCompromise" });
    const { prodDir, warnings } = await provisionExample(folder.dir, curve, { now: later(1000) });
    expect(warnings.map(({ message }) => message).join()).toContain("'hospital-a' was revoked at 2026-11-01T12:00:01.000Z (keyCompromise)");
    const [old, next] = [
      new X509Certificate(await certificateOf(before, "hospital-a")),
      new X509Certificate(await certificateOf(prodDir, "hospital-a")),
    ];
    expect(next.publicKey.equals(old.publicKey)).toBe(false);
    expect(next.validFromDate).toEqual(later(2000));
    for (const name of ["hospital-a", "server1.example.org"]) await verifyKit(await readKit(join(prodDir, name)), { now: later(3000) });
    expect(await certificateOf(prodDir, "server1.example.org")).toBe(await certificateOf(before, "server1.example.org"));
    await cp(state("trust.json"), join(before, "hospital-a", "identity", "trust.json"), { recursive: true });
    expect((await errorOf(verifyKit(await readKit(join(before, "hospital-a")), { now: later(3000) }))).code).toBe("kit/revoked");
  });

  it("of an unknown name is refused with the nearest one, unless it is forced", async () => {
    await provisionAt();
    const init = { ...place(later(1000)), name: "hospital-b", reason: "superseded" } as const;
    const error = await errorOf(revokeParticipant(init));
    expect([error.code, error.message]).toEqual([
      "project/unknown-participant",
      "No certificate was given to 'hospital-b'; did you mean 'hospital-a'?",
    ]);
    expect((await revokeParticipant({ ...init, isForced: true })).serials).toEqual([]);
  });

  it("needs a project, and its name where there are several", async () => {
    const init = { workspace: workspace(), caKey: "clear", name: "hospital-a", reason: "superseded" } as const;
    expect((await errorOf(revokeParticipant(init))).code).toBe("project/not-provisioned");
    await provisionAt();
    await cp(join(workspace(), project), join(workspace(), "second"), { recursive: true });
    expect((await errorOf(revokeParticipant(init))).message).toContain("example_project, second");
    expect((await errorOf(revokeParticipant({ ...init, project: "third" }))).code).toBe("project/not-provisioned");
  });
});

describe("a rollover of the root", () => {
  it("lets the old and the new root stand side by side, and takes along who missed its beginning", async () => {
    const before = await provisionAt();
    const [trust, late] = [await trustOf(before), await trustOf(before)];
    const started = await startRollover({ ...place(later(1000)), keyType: "p256" });
    trust.accept(started.trustListText);
    expect((await errorOf(startRollover(place(later(2000))))).code).toBe("project/rollover-under-way");
    const during = await provisionAt(later(2000));
    expect(splitPem("CERTIFICATE", await readFile(join(during, "hospital-a/startup/rootCA.pem"), "utf8"))).toHaveLength(2);
    const [old, next] = [await certificateOf(before, "hospital-a"), await certificateOf(during, "hospital-a")];
    expect([verdict(trust, old, later(3000)), verdict(trust, next, later(3000))]).toEqual(["ok", "ok"]);
    expect(new X509Certificate(next).publicKey.equals(new X509Certificate(old).publicKey)).toBe(true);
    await verifyKit(await readKit(join(during, "hospital-a")), { now: later(3000) });
    const early = await errorOf(finishRollover({ ...place(later(4000)), inUse: [{ name: "hospital-a", chainPem: old }] }));
    expect([early.code, early.facts["participants"]]).toEqual(["project/rollover-not-done", ["hospital-a"]]);
    const finished = await finishRollover({ ...place(later(4000)), inUse: [{ name: "hospital-a", chainPem: next }] });
    for (const one of [trust, late]) {
      one.accept(finished.trustListText);
      expect([verdict(one, old, later(5000)), verdict(one, next, later(5000))]).toEqual(["untrusted", "ok"]);
    }
    const after = await provisionAt(later(6000));
    expect(await certificateOf(after, "hospital-a")).toBe(next);
    expect(splitPem("CERTIFICATE", await readFile(join(after, "hospital-a/startup/rootCA.pem"), "utf8"))).toHaveLength(1);
    const away = await trustOf(before);
    away.accept((await revokeParticipant({ ...place(later(7000)), name: "hospital-a", reason: "superseded" })).trustListText);
    expect(away.number).toBe(3);
  });

  it("is not finished before it began, nor while certificates of the old root are in use", async () => {
    await provisionAt();
    expect((await errorOf(finishRollover(place()))).code).toBe("project/no-rollover");
    await startRollover(place());
    // Whoever has both roots goes by their beginnings, also where they were made in the same second.
    const { root, former_roots: formerRoots } = JSON.parse(await readFile(state("ca.json"), "utf8")) as {
      readonly root: { readonly cert: string };
      readonly former_roots: readonly { readonly cert: string }[];
    };
    const [next, former] = [root, ...formerRoots].map(({ cert }) => new X509Certificate(cert).validFromDate.getTime());
    expect(next).toBeGreaterThan(former ?? Number.POSITIVE_INFINITY);
    const error = await errorOf(finishRollover(place()));
    expect([error.code, error.facts["participants"]]).toEqual([
      "project/rollover-not-done",
      ["server1.example.org", "hospital-a", "admin@example.org"],
    ]);
    // Whoever was revoked does not hold it up.
    await revokeParticipant({ ...place(later(1000)), name: "hospital-a", reason: "superseded" });
    expect((await errorOf(finishRollover(place(later(2000))))).facts["participants"]).toEqual(["server1.example.org", "admin@example.org"]);
    await finishRollover({ ...place(), isForced: true });
  });
});

describe("a CA from elsewhere", () => {
  const corporate = async () => {
    const pair = await createKeyPair("p256");
    const validity = { from: later(-dayMs), to: later(400 * dayMs) };
    const certificatePem = await issueRoot({ subject: { commonName: "Corporate Root", org: "AG" }, ...pair, validity });
    return { certificatePem, privateKey: pair.privateKey, keyPem: privateKeyPem(pair), validity };
  };
  const check = async (prodDir: string, at = later(1000)): Promise<void> => {
    for (const name of ["server1.example.org", "hospital-a", "admin@example.org"]) {
      await verifyKit(await readKit(join(prodDir, name)), { now: at });
      const startup = join(prodDir, name, "startup");
      const chain = join(startup, name.startsWith("server1") ? "server.crt" : "client.crt");
      const args = [
        "-attime",
        String(at.getTime() / 1000),
        "-x509_strict",
        "-CAfile",
        join(startup, "rootCA.pem"),
        "-untrusted",
        chain,
        chain,
      ];
      expect(await openssl("verify", ...args)).toContain("OK");
    }
  };

  it("signs an authority of the project's own, and its key is not kept", async () => {
    const root = await corporate();
    const used = await useCa({ ...place(), chainPem: root.certificatePem, privateKeyPem: root.keyPem, keyType: "p256" });
    expect(used).toMatchObject({ authority: project, root: "Corporate Root", trust: undefined });
    const prodDir = await provisionAt();
    await check(prodDir);
    expect(splitPem("CERTIFICATE", await certificateOf(prodDir, "hospital-a"))).toHaveLength(2);
    const secret = createPrivateKey(root.keyPem).export({ type: "pkcs8", format: "der" }).toString("base64").slice(60, 120);
    for (const file of ["ca.json", "cert.json"]) expect((await readFile(state(file), "utf8")).replaceAll("\\n", "")).not.toContain(secret);
    const { trustListText } = await revokeParticipant({ ...place(later(2000)), name: "hospital-a", reason: "superseded" });
    const trust = await trustOf(prodDir);
    trust.accept(trustListText);
    expect(verdict(trust, await certificateOf(prodDir, "hospital-a"), later(3000))).toBe("revoked");
  });

  it("that is the project's own is taken as it is, with its key", async () => {
    const pair = await createKeyPair("rsa-2048");
    const certificatePem = await issueRoot({
      subject: { commonName: project },
      ...pair,
      validity: { from: later(-dayMs), to: later(360 * dayMs) },
    });
    await useCa({ ...place(), chainPem: certificatePem, privateKeyPem: privateKeyPem(pair) });
    const { prodDir } = await provisionExample(folder.dir, { 24: "", 22: "", 23: "" }, { now });
    expect(await readFile(join(prodDir, "hospital-a/startup/rootCA.pem"), "utf8")).toBe(certificatePem);
    await check(prodDir);
  });

  it("signs a request while nothing can be provisioned, and the chain comes back", async () => {
    const root = await corporate();
    const csrPem = await requestCa({ ...place(), keyType: "p256" });
    expect(readRequest(await requestCa(place())).publicKey.equals(readRequest(csrPem).publicKey)).toBe(true);
    expect((await errorOf(provisionAt())).code).toBe("project/no-authority");
    const { publicKey, subject } = readRequest(csrPem);
    const certificatePem = await issueAuthority({ commonName: subject.commonName, publicKey, validity: root.validity, issuer: root });
    await importCa({ ...place(), chainPem: `${certificatePem}${root.certificatePem}` });
    await check(await provisionAt());
  });

  it("takes over from the project's own root as in a rollover", async () => {
    const before = await provisionAt();
    const root = await corporate();
    const { trust: published } = await useCa({ ...place(later(1000)), chainPem: root.certificatePem, privateKeyPem: root.keyPem });
    const trust = await trustOf(before);
    trust.accept(published?.trustListText ?? "");
    const during = await provisionAt(later(2000));
    for (const prodDir of [before, during]) expect(verdict(trust, await certificateOf(prodDir, "hospital-a"), later(3000))).toBe("ok");
    await check(during, later(3000));
    expect((await finishRollover(place(later(4000)))).number).toBe(2);
  });

  it("is refused when it is none, is another's, has ended, or its key is not its own", async () => {
    const root = await corporate();
    const other = await corporate();
    const leaf = await certificateOf(await provisionAt(), "hospital-a");
    const middle = await issueAuthority({
      commonName: "m",
      publicKey: (await createKeyPair("p256")).publicKey,
      validity: root.validity,
      issuer: root,
    });
    const attempts: [string, string, string][] = [
      ["", root.keyPem, "there is no certificate"],
      [leaf, root.keyPem, "is not a root certificate"],
      [root.certificatePem, other.keyPem, "does not belong"],
      [root.certificatePem, "no key", "cannot be read"],
      [middle, root.keyPem, "is not a root certificate"],
      [`${middle}${other.certificatePem}`, root.keyPem, "was not issued by"],
      [`${leaf}${root.certificatePem}`, root.keyPem, "is not one that issues"],
    ];
    for (const [chainPem, keyPem, message] of attempts) {
      const error = await errorOf(useCa({ ...place(), project: "second", chainPem, privateKeyPem: keyPem }));
      expect(error.code).toBe("project/external-ca-invalid");
      expect(error.message).toContain(message);
      expect(JSON.stringify(error)).not.toContain("PRIVATE");
    }
    const late = { ...place(later(500 * dayMs)), project: "second" };
    expect((await errorOf(useCa({ ...late, chainPem: root.certificatePem, privateKeyPem: root.keyPem }))).message).toContain(
      "is not good now",
    );
    expect((await errorOf(importCa({ ...place(), project: "second", chainPem: root.certificatePem }))).code).toBe("project/no-authority");
    expect((await errorOf(requestCa({ ...place(), project: "../second" }))).code).toBe("project/invalid");
  });
});

describe("the status of certificates", () => {
  it("says what ends when, what is ending, and who is revoked, and needs no passphrase", async () => {
    const caKey = { passphrase: "correct horse battery staple" };
    const { prodDir } = await provisionExample(folder.dir, curve, { now, caKey });
    const init = { workspace: workspace(), project };
    const conditions = async (at: Date): Promise<Record<string, string>> =>
      Object.fromEntries(
        (await projectCertificateStatus({ ...init, now: at })).certificates.map(({ name, kind, condition }) => [
          `${kind} ${name}`,
          condition,
        ]),
      );
    expect(await conditions(later(61 * dayMs))).toEqual({
      "root example_project": "good",
      "issuer example_project issuer at server1.example.org": "good",
      "participant server1.example.org": "ending",
      "participant hospital-a": "ending",
      "participant admin@example.org": "ending",
    });
    await revokeParticipant({ ...init, caKey, now: later(1000), name: "hospital-a", reason: "superseded" });
    expect(await conditions(later(2000))).toMatchObject({ "participant hospital-a": "revoked", "participant admin@example.org": "good" });
    expect(await conditions(later(91 * dayMs))).toMatchObject({ "participant admin@example.org": "ended" });
    const { certificates } = await kitCertificateStatus(await readKit(join(prodDir, "hospital-a")), { now });
    expect(certificates.map(({ kind, name }) => `${kind} ${name}`)).toEqual(["root example_project", "participant hospital-a"]);
    expect(certificates[1]?.validTo).toEqual(later(90 * dayMs));
  });
});

describe("provisioning again", () => {
  it("makes certificates anew in the last third of their life, for the same key, and keeps them before", async () => {
    const first = await provisionAt();
    const kept = await provisionAt(later(59 * dayMs));
    expect(await certificateOf(kept, "hospital-a")).toBe(await certificateOf(first, "hospital-a"));
    const renewed = new X509Certificate(await certificateOf(await provisionAt(later(61 * dayMs)), "hospital-a"));
    expect(renewed.validToDate).toEqual(later(151 * dayMs));
    expect(renewed.publicKey.equals(new X509Certificate(await certificateOf(first, "hospital-a")).publicKey)).toBe(true);
  });
});

describe("a renewal that the holder of the CA signs", () => {
  it("is for the name, role and lifetime that the project gave, whatever the request says", async () => {
    const prodDir = await provisionAt();
    const keyPair = await createKeyPair("p256");
    const csrPem = await createRequest({ subject: { commonName: "admin@example.org", org: "x", role: "project_admin" }, keyPair });
    const chain = await signRenewal({ ...place(later(dayMs)), renewal: { kind: "participant", name: "hospital-a", csrPem } });
    const certificate = new X509Certificate(chain);
    expect(readSubject(certificate)).toEqual({ commonName: "hospital-a", org: "hospital_a", role: "client" });
    expect(certificate.validToDate).toEqual(later(91 * dayMs));
    expect(verdict(await trustOf(prodDir), chain, later(2 * dayMs))).toBe("ok");
    const { serials } = await revokeParticipant({ ...place(later(2 * dayMs)), name: "hospital-a", reason: "superseded" });
    expect(serials).toContain(certificate.serialNumber.toLowerCase());
    const renewal = { kind: "issuer", name: "server1.example.org", csrPem } as const;
    const issuer = new X509Certificate(await signRenewal({ ...place(later(dayMs)), renewal }));
    expect([issuer.ca, readSubject(issuer).role]).toEqual([true, "issuer:client,server,relay"]);
    const stranger = { kind: "participant", name: "hospital-b", csrPem } as const;
    expect((await errorOf(signRenewal({ ...place(), renewal: stranger }))).code).toBe("project/unknown-participant");
  });

  it("is never signed for somebody who was revoked, nor an issuing certificate for anybody but the server", async () => {
    await provisionAt();
    const keyPair = await createKeyPair("p256");
    const csrPem = await createRequest({ subject: { commonName: "hospital-a" }, keyPair });
    const codeOf = async (kind: "issuer" | "participant", name: string): Promise<string> =>
      (await errorOf(signRenewal({ ...place(later(2 * dayMs)), renewal: { kind, name, csrPem } }))).code;
    expect(await codeOf("issuer", "hospital-a")).toBe("project/unknown-participant");
    for (const name of ["hospital-a", "server1.example.org"]) {
      await revokeParticipant({ ...place(later(dayMs)), name, reason: "keyCompromise" });
      expect(await codeOf("participant", name)).toBe("auth/certificate-revoked");
    }
    expect(await codeOf("issuer", "server1.example.org")).toBe("auth/certificate-revoked");
  });
});

describe("a renewal of a participant that keeps its own key", () => {
  it("follows the certificate that was issued for its request, and no other that is shown", async () => {
    await provisionAt();
    const participantFile = join(folder.dir, "participant.yaml");
    const participant = { name: "hospital-r", type: "client", org: "hospital_r" };
    await writeFile(participantFile, JSON.stringify({ name: "example_project", participants: [participant] }));
    const home = join(folder.dir, "home");
    const asked = await requestCertificate({ participantFile, baseDir: folder.dir, home, keyType: "p256", now });
    const profileFile = join(folder.dir, "profile.json");
    const server = { host: "server1.example.org", fed_learn_port: 8002 };
    await writeFile(profileFile, JSON.stringify({ name: "example_project", scheme: "grpc", connection_security: "mtls", server }));
    const init = { archive: asked.archive, authorityDir: workspace(), profileFile, home, caKey: "clear", now } as const;
    const { certificatePem } = await approveRequest(init);
    const keyPair = await createKeyPair("p256");
    const csrPem = await createRequest({ subject: { commonName: "x", org: "x", role: "project_admin" }, keyPair });
    const sign = async (shown: string | undefined, name = "hospital-r", at = later(dayMs)): Promise<string> =>
      await signRenewal({
        ...place(at),
        renewal: { kind: "participant", name, csrPem, ...(shown === undefined ? {} : { certificatePem: shown }) },
      });
    const codeOf = async (shown: string | undefined, name?: string, at?: Date): Promise<string> =>
      (await errorOf(sign(shown, name, at))).code;
    const chain = await sign(certificatePem);
    expect(readSubject(new X509Certificate(chain))).toEqual({ commonName: "hospital-r", org: "hospital_r", role: "client" });
    // What was renewed is renewed again.
    expect(readSubject(new X509Certificate(await sign(chain, "hospital-r", later(2 * dayMs)))).commonName).toBe("hospital-r");
    expect(await codeOf(undefined)).toBe("project/unknown-participant");
    expect(await codeOf("no certificate")).toBe("project/unknown-participant");
    expect(await codeOf(certificatePem, "hospital-s")).toBe("project/unknown-participant");
    const foreign = await issueRoot({ subject: { commonName: "hospital-r" }, ...keyPair, validity: { from: now, to: later(dayMs) } });
    expect(await codeOf(foreign)).toBe("project/unknown-participant");
    await revokeParticipant({ ...place(later(3 * dayMs)), name: "hospital-r", reason: "keyCompromise" });
    for (const shown of [certificatePem, chain])
      expect(await codeOf(shown, "hospital-r", later(4 * dayMs))).toBe("project/unknown-participant");
  });
});

describe("a change of the state that is cut off", () => {
  it("leaves the old state or the new one, whichever file was written last", async () => {
    await provisionAt();
    const files = ["ca.json", "cert.json"];
    const before = await Promise.all(files.map(async (file) => await readFile(state(file), "utf8")));
    await startRollover(place(later(1000)));
    const after = await Promise.all(files.map(async (file) => await readFile(state(file), "utf8")));
    await writeFile(state("ca.json"), after[0] ?? "");
    await writeFile(state("cert.json"), before[1] ?? "");
    await rm(state("trust.json"));
    const { prodDir } = await provisionExample(folder.dir, curve, { now: later(2000) });
    expect("problem" in readRoots(await readFile(join(prodDir, "hospital-a/startup/rootCA.pem"), "utf8"))).toBe(false);
    await verifyKit(await readKit(join(prodDir, "hospital-a")), { now: later(3000) });
    expect((await finishRollover(place(later(4000)))).number).toBe(2);
    expect((await readdir(join(workspace(), project, "state"))).sort()).toEqual(["ca.json", "cert.json", "crl.pem", "trust.json"]);
  });
});
