import { X509Certificate } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { provision } from "@flare-ts/provision";
import { type Kit, ProjectTrust, readKit } from "@flare-ts/provision/kit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Identity } from "../session/identity.js";
import { fingerprintOf } from "../session/project-keys.js";
import { TestProject } from "../session/test-project.test-support.js";
import { signCommand, verifyCommand } from "./signed-command.js";

let folder: string;
let admin: Kit;
let site: Kit;
let identity: Identity;
const expected = (change: Partial<Parameters<typeof verifyCommand>[1]> = {}): Parameters<typeof verifyCommand>[1] => ({
  identity,
  sessionId: "s1",
  trust: ProjectTrust.from({ project: "p", rootCaPem: admin.rootCaPem }),
  nowMs: Date.now(),
  ...change,
});
const sign = (kit: Kit, project = "p"): ReturnType<typeof signCommand> =>
  signCommand({
    verb: "abort_job",
    args: { job_id: "j" },
    project,
    sessionId: "s1",
    certificatePem: kit.certificatePem,
    privateKeyPem: kit.privateKeyPem,
    nowMs: 1,
  });

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "flare-command-"));
  const projectFile = join(folder, "project.yml");
  const participants = [
    { name: "localhost", type: "server", org: "o" },
    { name: "site-1", type: "client", org: "o" },
    { name: "a@b.org", type: "admin", org: "o", role: "lead" },
  ];
  await writeFile(projectFile, JSON.stringify({ api_version: 3, name: "p", description: "", participants }));
  const { prodDir } = await provision({ projectFile, workspace: folder, caKey: "clear" });
  [admin, site] = await Promise.all([readKit(join(prodDir, "a@b.org")), readKit(join(prodDir, "site-1"))]);
  identity = {
    name: "a@b.org",
    org: "o",
    role: "lead",
    kind: "admin",
    chainPem: admin.certificatePem,
    fingerprint: fingerprintOf(new X509Certificate(admin.certificatePem)),
  };
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe("a command of an admin", () => {
  it("is for the study that it was signed for, and for that of everybody when it names none", () => {
    const { certificatePem, privateKeyPem } = admin;
    const init = { verb: "list_jobs", args: {}, project: "p", sessionId: "s1", certificatePem, privateKeyPem, nowMs: 1 } as const;
    expect(verifyCommand(signCommand(init), expected()).study).toBe("default");
    const command = signCommand({ ...init, study: "lungs" });
    expect(verifyCommand(command, expected()).study).toBe("lungs");
    const moved = Buffer.from(Buffer.from(command.commandJson).toString().replace("lungs", "heart"));
    expect(() => verifyCommand({ ...command, commandJson: moved }, expected())).toThrow(/its signature is wrong/);
    const stripped = Buffer.from(Buffer.from(command.commandJson).toString().replace('"study":"lungs",', ""));
    expect(() => verifyCommand({ ...command, commandJson: stripped }, expected())).toThrow(/its signature is wrong/);
  });

  it("is accepted with the signature of the session's own key", () => {
    expect(verifyCommand(sign(admin), expected())).toMatchObject({ verb: "abort_job", args: { job_id: "j" } });
  });

  it("is refused with a certificate of before the session's, once that one is revoked", () => {
    const project = new TestProject("p");
    const former = project.issue({ name: "a@b.org", role: "lead" });
    const current = project.issue({ name: "a@b.org", role: "lead" });
    const trust = project.trust();
    const renewed = {
      ...identity,
      chainPem: current.certificatePem,
      fingerprint: fingerprintOf(current.certificate),
      formerFingerprints: [fingerprintOf(former.certificate)],
    };
    const { certificatePem, privateKeyPem } = former;
    const command = signCommand({ verb: "abort_job", args: {}, project: "p", sessionId: "s1", certificatePem, privateKeyPem, nowMs: 1 });
    expect(verifyCommand(command, expected({ identity: renewed, trust }))).toMatchObject({ verb: "abort_job" });
    const revoked = [{ name: "another", serials: [former.certificate.serialNumber], revoked_at_ms: 0, reason: "keyCompromise" as const }];
    trust.accept(project.trustList({ number: 1, revoked }));
    expect(() => verifyCommand(command, expected({ identity: renewed, trust }))).toThrow(/its certificate is revoked/);
  });

  it.each<[string, () => unknown]>([
    [
      "changed after it was signed",
      () => verifyCommand({ ...sign(admin), commandJson: Buffer.from(sign(admin).commandJson).fill("x", 3, 4) }, expected()),
    ],
    ["signed by another participant", () => verifyCommand(sign(site), expected())],
    ["with another's certificate", () => verifyCommand({ ...sign(site), certificate: admin.certificatePem }, expected())],
    ["signed for another session", () => verifyCommand(sign(admin), expected({ sessionId: "s2" }))],
    ["signed for another project", () => verifyCommand(sign(admin, "q"), expected())],
  ])("is refused when it was %s", (_case, verify) => {
    expect(verify).toThrow(expect.objectContaining({ code: "auth/command-invalid" }));
  });
});
