import { createPrivateKey, X509Certificate } from "node:crypto";
import { appendFile, cp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { errorOf } from "../../test/error-of.js";
import { Exchange } from "../../test/exchange.js";
import { edit, hashOf, type Members, repack } from "../../test/repack.js";
import { revokeParticipant } from "../authority/revoke.js";
import { readKit } from "../kit/read-kit.js";
import { verifyKit } from "../kit/verify-kit.js";
import { signFolder } from "../kits/sign-folder.js";
import { readSubject } from "../pki/read-certificate.js";
import { provision } from "../provision.js";

const dayMs = 24 * 3_600_000;
let exchange: Exchange;
beforeAll(async () => {
  exchange = await Exchange.create();
});
afterAll(() => exchange.remove());

describe("a kit made where its key is", () => {
  it.each(["server", "site", "user"] as const)("is good for a %s, from request to verified kit", async (who) => {
    const asked = await exchange.request(who, {}, { keyType: "rsa-2048" });
    const approved = await exchange.approve(who);
    const kit = await exchange.package(who);
    expect(kit.isFingerprintChecked).toBe(true);
    const read = await readKit(kit.dir);
    await verifyKit(read, { now: exchange.now });
    expect({ name: read.name, role: read.role, project: read.project }).toEqual({
      name: asked.claim.name,
      role: asked.claim.certificateType,
      project: "cancer",
    });
    expect(read.endpoint).toMatchObject({ host: "fl.example.org", port: 8102 });
    expect(read.privateKeyPem).toBe(await readFile(asked.privateKey, "utf8"));
    const certificate = new X509Certificate(read.certificatePem);
    expect(readSubject(certificate).org).toBe("clinic");
    expect(certificate.validToDate).toEqual(approved.validUntil);
    expect(approved.validUntil.getTime() - exchange.now.getTime()).toBe(90 * dayMs);
    expect((await stat(asked.privateKey)).mode & 0o777).toBe(0o600);
  });

  it("is signed by the participant, over what the project admin approved: any later change shows", async () => {
    const kit = join(exchange.workspace, "cancer", "prod_00", "hospital-a");
    const key = createPrivateKey(await readFile(join(kit, "startup", "client.key"), "utf8"));
    const signAgain = async (dir: string): Promise<void> => {
      await rm(join(dir, "startup", "signature.json"));
      await signFolder(join(dir, "startup"), key);
    };
    const config = async (dir: string): Promise<void> => {
      const file = join(dir, "startup", "fed_client.json");
      await writeFile(file, (await readFile(file, "utf8")).replaceAll("fl.example.org:", "evil.example.org:"));
    };
    const changes: readonly (readonly [change: (dir: string) => Promise<void>, code: string])[] = [
      [async (dir) => await appendFile(join(dir, "startup", "start.sh"), "\n"), "kit/signature-mismatch"],
      [config, "kit/approval-mismatch"],
      // Not even who has the participant's key may say something else than what was approved.
      [async (dir) => await config(dir).then(async () => await signAgain(dir)), "kit/approval-mismatch"],
      [async (dir) => await appendFile(join(dir, "startup", "signed.json"), "\n"), "kit/approval-mismatch"],
      [async (dir) => await rm(join(dir, "startup", "signed.json.sig")), "kit/approval-mismatch"],
      // Without an approval only the root may sign.
      [async (dir) => await rm(join(dir, "startup", "signed.json")).then(async () => await signAgain(dir)), "kit/signature-mismatch"],
    ];
    for (const [index, [change, code]] of changes.entries()) {
      const copy = join(exchange.dir, `changed ${index}`);
      await cp(kit, copy, { recursive: true });
      await change(copy);
      expect((await errorOf(readKit(copy).then(async (read) => await verifyKit(read, { now: exchange.now })))).code).toBe(code);
    }
  });

  it("is not written over, nor beside kits of another root; with force the old one is kept", async () => {
    expect((await errorOf(exchange.package("site"))).code).toBe("file/exists");
    await exchange.package("site", { isForced: true });
    const project = join(exchange.workspace, "cancer");
    expect(await readdir(join(project, ".bak"))).toHaveLength(1);
    const other = await Exchange.create();
    await other.request("site");
    await other.approve("site");
    expect((await errorOf(other.package("site", { workspace: exchange.workspace, isForced: true }))).code).toBe("request/other-root");
    expect((await readdir(project)).filter((name) => name.startsWith(".wip"))).toEqual([]);
    await other.remove();
  });
});

describe("a request", () => {
  it("leaves the key at home: the archive and the record hold none of it", async () => {
    const { archive, privateKey, audit, requestId } = await exchange.request("site", { name: "hospital-k" });
    const key = await readFile(privateKey, "utf8");
    const body = key.split("\n")[3] ?? "";
    expect(body.length).toBeGreaterThan(40);
    expect(audit).toEqual({ file: join(exchange.home, "cert_requests", requestId, "audit.json") });
    const record = await readFile(join(exchange.home, "cert_requests", requestId, "audit.json"), "utf8");
    expect(JSON.parse(record)).toMatchObject({ request: { request_id: requestId, name: "hospital-k" }, private_key_path: privateKey });
    await repack(archive, (members) => {
      expect(Object.keys(members).sort()).toEqual(["hospital-k.csr", "request.json", "site.yaml"]);
      expect(Object.values(members).join("") + record).not.toContain(body);
      return undefined;
    });
  });

  it("is not written over; with force the old key is kept", async () => {
    const first = await exchange.request("site", { name: "hospital-f" });
    const key = await readFile(first.privateKey, "utf8");
    expect((await errorOf(exchange.request("site", { name: "hospital-f" }))).code).toBe("file/exists");
    await exchange.request("site", { name: "hospital-f" }, { isForced: true });
    const [moment = ""] = await readdir(join(first.dir, ".bak"));
    expect(await readFile(join(first.dir, ".bak", moment, "hospital-f.key"), "utf8")).toBe(key);
    expect(await readFile(first.privateKey, "utf8")).not.toBe(key);
  });

  it("may be for a key on a curve", async () => {
    await exchange.request("site", {}, { keyType: "p256", isForced: true });
    await exchange.approve("site", { isForced: true });
    const { dir } = await exchange.package("site", { isForced: true });
    const kit = await readKit(dir);
    await verifyKit(kit, { now: exchange.now });
    expect(createPrivateKey(kit.privateKeyPem).asymmetricKeyType).toBe("ec");
  });
});

describe("an approval is refused", () => {
  let archive: string;
  beforeEach(async () => {
    ({ archive } = await exchange.request("site", { name: "hospital-x" }, { isForced: true }));
  });

  const rehash = (members: Members): void => edit(members, "request.json", { site_yaml_sha256: hashOf(members["site.yaml"]) });
  const site = (members: Members, change: object): void => {
    const document = JSON.parse(members["site.yaml"] ?? "") as { participants: object[] };
    members["site.yaml"] = JSON.stringify({ ...document, participants: [{ ...document.participants[0], ...change }] });
    rehash(members);
  };
  const wrong: readonly (readonly [what: string, change: (members: Members) => void, code: string])[] = [
    ["with a hash that is not that of site.yaml", (m) => edit(m, "request.json", { site_yaml_sha256: hashOf("x") }), "request/mismatch"],
    ["with a hash that is not that of the key", (m) => edit(m, "request.json", { public_key_sha256: hashOf("x") }), "request/mismatch"],
    ["with a hash that is not that of the CSR", (m) => edit(m, "request.json", { csr_sha256: hashOf("x") }), "request/mismatch"],
    ["with another name in request.json", (m) => edit(m, "request.json", { name: "hospital-y" }), "request/mismatch"],
    ["with another organisation in site.yaml", (m) => site(m, { org: "other" }), "request/mismatch"],
    [
      "with another role than the CSR's",
      (m) => {
        site(m, { org: "other" });
        edit(m, "request.json", { org: "other" });
      },
      "request/mismatch",
    ],
    ["with a kind that does not go with the role", (m) => edit(m, "request.json", { cert_type: "lead" }), "request/mismatch"],
    ["for a project admin", (m) => edit(m, "request.json", { kind: "user", cert_type: "project_admin" }), "request/invalid"],
    ["with a name that leads out of a folder", (m) => edit(m, "request.json", { name: "../x" }), "request/invalid"],
    ["without site.yaml", (m) => delete m["site.yaml"], "request/incomplete"],
    ["with a file too many", (m) => (m["readme.txt"] = "hello"), "request/incomplete"],
    ["with a private key", (m) => (m["readme.txt"] = "-----BEGIN RSA PRIVATE KEY-----\n"), "archive/private-key"],
    [
      "with a CSR of another name",
      (m) => (m["hospital-y.csr"] = m["hospital-x.csr"] ?? "") && delete m["hospital-x.csr"],
      "request/mismatch",
    ],
    [
      "with a CSR that was changed",
      (m) => (m["hospital-x.csr"] = (m["hospital-x.csr"] ?? "").replace(/[a-m]/, "n")),
      "certificate/request-invalid",
    ],
    [
      "with a large document",
      (m) => (m["site.yaml"] += Array.from({ length: 12_000 }, (_, i) => `# ${i * 7919}\n`).join("")),
      "request/incomplete",
    ],
  ];
  it.each(wrong)("%s", async (_what, change, code) => {
    await repack(archive, (members) => {
      change(members);
      return members;
    });
    expect((await errorOf(exchange.approve("site", { archive }))).code).toBe(code);
  });

  it("for another project, for the wrong server, and for a site that is called like the server", async () => {
    const participantFile = join(exchange.dir, "other.yaml");
    await writeFile(participantFile, JSON.stringify({ name: "other", participants: [{ name: "s", type: "client", org: "o" }] }));
    const other = await exchange.request("site", {}, { participantFile, dir: join(exchange.dir, "other") });
    expect((await errorOf(exchange.approve("site", { archive: other.archive }))).code).toBe("request/wrong-project");
    const server = await exchange.request("server", { name: "fl2.example.org" });
    expect((await errorOf(exchange.approve("server", { archive: server.archive }))).code).toBe("request/mismatch");
  });

  it("when the approver says no, and when the name belongs to another key", async () => {
    const out = join(exchange.dir, "x.signed.zip");
    const seen: string[] = [];
    const confirm = async ({ claim, hosts }: { claim: { name: string }; hosts: readonly string[] }): Promise<boolean> => {
      seen.push(claim.name, ...hosts);
      return false;
    };
    expect((await errorOf(exchange.approve("site", { archive, out, confirm }))).code).toBe("request/refused");
    expect(seen).toEqual(["hospital-x", "hospital-x"]);
    await exchange.approve("site", { archive, out });
    await exchange.approve("site", { archive, out, isForced: true });
    await exchange.request("site", { name: "hospital-x" }, { isForced: true });
    expect((await errorOf(exchange.approve("site", { archive, out: `${out}2` }))).code).toBe("request/name-taken");
    await exchange.approve("site", { archive, out: `${out}2`, isForced: true });
  });

  it("when the folder holds no authority, or that of another project", async () => {
    const { dir, profileFile } = exchange;
    const empty = join(dir, "empty");
    const refusal = async (rest: object): Promise<string> =>
      (await errorOf(exchange.approve("site", { archive, isForced: true, ...rest }))).code;
    expect(await refusal({ authorityDir: empty })).toBe("request/authority-invalid");
    const other = await Exchange.create({}, { name: "other" });
    expect(await refusal({ authorityDir: other.authorityDir })).toBe("request/wrong-project");
    expect(await refusal({ profileFile: other.profileFile })).toBe("request/wrong-project");
    expect(await readdir(dir)).not.toContain("empty");
    expect(profileFile).not.toBe(other.profileFile);
    await other.remove();
  });
});

describe("an authority that FLARE made", () => {
  const asFlareMakesIt = async (): Promise<Exchange> => {
    const made = await Exchange.create();
    await rm(join(made.authorityDir, "cancer"), { recursive: true });
    await made.request("site");
    return made;
  };

  it("is taken over at the first approval: its key is sealed, and the one in clear text is named", async () => {
    const theirs = await asFlareMakesIt();
    const caKey = { passphrase: "correct horse" };
    const { clearKeyFile } = await theirs.approve("site", { caKey });
    expect(clearKeyFile).toBe(join(theirs.authorityDir, "rootCA.key"));
    expect(await readFile(join(theirs.authorityDir, "cancer", "state", "ca.json"), "utf8")).not.toContain("PRIVATE KEY");
    expect((await errorOf(theirs.approve("site", { isForced: true }))).code).toBe("project/passphrase-missing");
    await theirs.remove();
  });

  it("is refused when its parts do not belong together", async () => {
    const other = await Exchange.create();
    for (const name of ["rootCA.pem", "rootCA.key", "ca.json"]) {
      const theirs = await asFlareMakesIt();
      await cp(join(other.authorityDir, name), join(theirs.authorityDir, name));
      expect((await errorOf(theirs.approve("site"))).code).toBe("request/authority-invalid");
      await rm(join(theirs.authorityDir, name));
      expect((await errorOf(theirs.approve("site"))).code).toBe("request/authority-invalid");
      expect(await readdir(theirs.authorityDir)).not.toContain("cancer");
      await theirs.remove();
    }
    await other.remove();
  });
});

describe("requests and workspaces of others", () => {
  it("are taken: a request whose site.yaml is written as FLARE's, with keys that only another version knows", async () => {
    const { archive } = await exchange.request("site", { name: "hospital-w" });
    await repack(archive, (members) => {
      members["site.yaml"] = "name: cancer\nparticipants:\n- name: hospital-w\n  type: client\n  org: clinic\n";
      edit(members, "request.json", { site_yaml_sha256: hashOf(members["site.yaml"]), from_another_version: true });
      return members;
    });
    expect((await exchange.approve("site", { archive, out: join(exchange.dir, "w.zip") })).claim.name).toBe("hospital-w");
  });

  it("are taken: a project that was provisioned approves requests, and its kits and those know each other", async () => {
    const workspace = join(exchange.dir, "provisioned");
    const projectFile = join(exchange.dir, "project.yml");
    const project = {
      api_version: 3,
      name: "cancer",
      participants: [
        { name: "fl.example.org", type: "server", org: "clinic", fed_learn_port: 8102 },
        { name: "admin@example.org", type: "admin", org: "clinic", role: "project_admin" },
      ],
      certificates: { key_type: "p256" },
    };
    await writeFile(projectFile, JSON.stringify(project));
    const { prodDir } = await provision({ projectFile, workspace, caKey: "clear", now: exchange.now });
    const { archive } = await exchange.request("site", { name: "hospital-p" });
    const rest = { archive, authorityDir: workspace, out: join(exchange.dir, "p.signed.zip") };
    const { rootFingerprint } = await exchange.approve("site", rest);
    const kit = await exchange.package("site", {
      archive: rest.out,
      fingerprint: rootFingerprint,
      workspace: join(exchange.dir, "at p"),
    });
    const [theirs, ours] = await Promise.all([readKit(join(prodDir, "fl.example.org")), readKit(kit.dir)]);
    expect(ours.rootCaPem).toBe(theirs.rootCaPem);
    await verifyKit(ours, { now: exchange.now });
    expect(ours.certificates?.renewal).toBe("ca_holder");
    const other = await exchange.request("site", { name: "hospital-q" });
    const signed = join(exchange.dir, "q.signed.zip");
    await exchange.approve("site", { ...rest, archive: other.archive, out: signed, isRenewedByServer: true });
    const renewed = await exchange.package("site", {
      archive: signed,
      fingerprint: rootFingerprint,
      workspace: join(exchange.dir, "at q"),
    });
    expect((await readKit(renewed.dir)).certificates).toMatchObject({ renewal: "server", serverMayRenew: ["client", "server", "relay"] });
    const taken = await exchange.request("user", { name: "admin@example.org" });
    const again = { ...rest, archive: taken.archive, out: join(exchange.dir, "taken.zip") };
    expect((await errorOf(exchange.approve("user", again))).code).toBe("request/name-taken");
  });
});

describe("what was approved can be taken back", () => {
  it("and a new key comes back, whose kit knows what was revoked", async () => {
    const project = await Exchange.create();
    await project.request("site");
    const first = await project.approve("site");
    const later = new Date(project.now.getTime() + 3_600_000);
    const { serials } = await revokeParticipant({
      workspace: project.authorityDir,
      name: "hospital-a",
      reason: "keyCompromise",
      caKey: "clear",
      now: later,
    });
    expect(serials).toEqual([first.serial]);
    expect((await errorOf(project.approve("site", { isForced: true, now: later }))).code).toBe("request/key-revoked");
    const revoked = join(project.dir, "revoked.request.zip");
    await cp(project.requestArchive("site"), revoked);
    await project.request("site", {}, { isForced: true });
    await project.approve("site", { isForced: true, now: later });
    const again = { archive: revoked, out: join(project.dir, "again.zip"), isForced: true, now: later };
    expect((await errorOf(project.approve("site", again))).code).toBe("request/key-revoked");
    const soon = new Date(later.getTime() + 5_000);
    const { dir } = await project.package("site", { now: soon });
    expect(await readdir(join(dir, "startup"))).toContain("trust.json");
    await verifyKit(await readKit(dir), { now: soon });
    await project.remove();
  });
});

describe("a certificate", () => {
  it("lives as the profile or the approver says, and never beyond the root", async () => {
    const short = await Exchange.create({ validDays: 30 }, { certificates: { leaf_lifetime: "36h" } });
    await short.request("site");
    const { validUntil } = await short.approve("site");
    expect(validUntil.getTime() - short.now.getTime()).toBe(1.5 * dayMs);
    const longer = await short.approve("site", { validDays: 400, isForced: true });
    expect(longer.validUntil).toEqual(short.authority.validUntil);
    expect(longer.validUntil.getTime() - short.now.getTime()).toBe(30 * dayMs);
    const late = new Date(short.now.getTime() + 31 * dayMs);
    expect((await errorOf(short.approve("site", { now: late, isForced: true }))).code).toBe("project/root-expired");
    expect((await errorOf(short.package("site", { now: late }))).code).toBe("request/certificate-invalid");
    await short.remove();
  });
});

describe("flare package refuses", () => {
  let signed: string;
  beforeAll(async () => {
    await exchange.request("user", {}, { isForced: true });
    await exchange.approve("user", { isForced: true });
    signed = exchange.signedArchive("user");
  });
  const attempt = async (change: (members: Members) => void, rest: object = {}): Promise<string> => {
    const archive = join(exchange.dir, "attempt.zip");
    await cp(signed, archive);
    await repack(archive, (members) => {
      change(members);
      return members;
    });
    return (await errorOf(exchange.package("user", { archive, isForced: true, ...rest }))).code;
  };

  it.each<readonly [what: string, change: (members: Members) => void, code: string]>([
    ["an approval that was changed", (m) => edit(m, "signed.json", { cert_type: "org_admin" }), "request/signature-invalid"],
    ["an approval without signature", (m) => (m["signed.json.sig"] = ""), "request/signature-invalid"],
    ["a site.yaml that was changed", (m) => (m["site.yaml"] += "\n"), "request/mismatch"],
    ["a certificate that was changed", (m) => (m["lead@example.org.crt"] += "\n"), "request/mismatch"],
    ["a file too many", (m) => (m["x.txt"] = ""), "request/incomplete"],
    ["a key in it", (m) => (m["lead@example.org.key"] = "x"), "archive/private-key"],
  ])("%s", async (_what, change, code) => {
    expect(await attempt(change)).toBe(code);
  });

  it("the archive of another authority, by its fingerprint", async () => {
    const other = await Exchange.create();
    await cp(exchange.requestArchive("user"), other.requestArchive("user"));
    await other.approve("user");
    const archive = other.signedArchive("user");
    expect((await errorOf(exchange.package("user", { archive, isForced: true }))).code).toBe("request/fingerprint-mismatch");
    expect((await errorOf(exchange.package("user", { archive, isForced: true, fingerprint: "AB" }))).code).toBe("cli/invalid-arguments");
    await other.remove();
  });

  it("an approval whose request or key is not here", async () => {
    expect(await attempt(() => undefined, { home: join(exchange.dir, "nobody"), requestDir: exchange.dir })).toBe("request/not-found");
    const copy = join(exchange.dir, "copied request");
    await cp(join(exchange.dir, "lead@example.org"), copy, { recursive: true });
    const { privateKey } = await exchange.request("site", { name: "hospital-z" });
    await cp(privateKey, join(copy, "lead@example.org.key"));
    expect(await attempt(() => undefined, { requestDir: copy })).toBe("request/key-mismatch");
    await writeFile(join(copy, "lead@example.org.key"), "x");
    expect(await attempt(() => undefined, { requestDir: copy })).toBe("request/key-mismatch");
    expect(await attempt(() => undefined, { requestDir: join(exchange.dir, "hospital-z") })).toBe("request/not-found");
  });

  it("finds the request by its record, beside the archive, or where it is told", async () => {
    const nobody = join(exchange.dir, "nobody");
    for (const rest of [{}, { home: nobody }, { home: nobody, requestDir: join(exchange.dir, "lead@example.org") }]) {
      expect((await exchange.package("user", { isForced: true, ...rest })).claim.name).toBe("lead@example.org");
    }
  });
});

describe("the authority's key", () => {
  it("is opened by its passphrase alone", async () => {
    const sealed = await Exchange.create({ caKey: { passphrase: "correct horse" } });
    expect(await readFile(join(sealed.authorityDir, "rootCA.key"), "utf8")).not.toContain("PRIVATE KEY");
    await sealed.request("site");
    const wrong = { caKey: { passphrase: "wrong horses" } };
    expect((await errorOf(sealed.approve("site", wrong))).code).toBe("project/passphrase-wrong");
    await sealed.approve("site", { caKey: { passphrase: "correct horse" } });
    await sealed.remove();
  });

  it("is not written over; with force it is kept", async () => {
    const { authorityDir, profileFile } = exchange;
    const { initAuthority } = await import("./init-authority.js");
    const init = { profileFile, dir: authorityDir, caKey: "clear" as const, now: exchange.now };
    const key = await readFile(join(authorityDir, "rootCA.key"), "utf8");
    expect((await errorOf(initAuthority(init))).code).toBe("file/exists");
    await initAuthority({ ...init, isForced: true });
    const [moment = ""] = await readdir(join(authorityDir, ".bak"));
    expect((await readdir(join(authorityDir, ".bak", moment))).sort()).toEqual(["ca.json", "cancer", "rootCA.key", "rootCA.pem"]);
    expect(await readFile(join(authorityDir, ".bak", moment, "rootCA.key"), "utf8")).toBe(key);
  });
});
