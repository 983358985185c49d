import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { errorOf } from "../test/error-of.js";
import { projectText } from "../test/project-text.js";
import { temporaryFolder } from "../test/temporary-folder.js";
import { projectCertificateStatus } from "./authority/certificate-status.js";
import { checkCaKey } from "./authority/check-ca-key.js";
import { readProjectTrust } from "./authority/project-trust.js";
import { startRollover } from "./authority/rollover.js";
import { type IssuedKit, type IssueKitInit, issueKit } from "./issue-kit.js";
import { readKit } from "./kit/read-kit.js";
import { ProjectTrust } from "./kit/trust.js";
import { verifyKit } from "./kit/verify-kit.js";
import { provision } from "./provision.js";

const now = new Date("2026-11-01T12:00:00Z");
const later = (ms: number): Date => new Date(now.getTime() + ms);
const project = "example_project";
const curve = { 24: "      root_valid_days: 360\ncertificates: { key_type: p256 }" };

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeEach(async () => {
  folder = await temporaryFolder();
});
afterEach(async () => {
  await folder.remove();
});

const workspace = (): string => join(folder.dir, "workspace");
const issue = async (name: string, dir: string, rest: Partial<IssueKitInit> = {}): Promise<IssuedKit> =>
  await issueKit({
    projectText: projectText(curve),
    workspace: workspace(),
    name,
    dir: join(folder.dir, dir),
    caKey: "clear",
    earlier: "superseded",
    now,
    ...rest,
  });

describe("issuing one kit", () => {
  it("makes the project's root with the first, and kits that belong together", async () => {
    const kits = [await issue("admin@example.org", "a"), await issue("server1.example.org", "b"), await issue("hospital-a", "c")];
    const roots = new Set<string>();
    for (const { dir, serial, type, fingerprint, trust } of kits) {
      const kit = await readKit(dir);
      await verifyKit(kit, { now });
      roots.add(kit.rootCaPem);
      expect([type, serial, trust]).toEqual([kit.type, expect.stringMatching(/^[0-9a-f]+$/), undefined]);
      expect(fingerprint).toMatch(/^(?:[0-9A-F]{2}:){31}[0-9A-F]{2}$/);
    }
    expect(roots.size).toBe(1);
    expect(await readdir(join(folder.dir, "b", "startup"))).toContain("issuing.crt");
    const { certificates } = await projectCertificateStatus({ workspace: workspace(), now });
    expect(certificates.map(({ name, condition }) => [name, condition])).toContainEqual(["hospital-a", "good"]);
  });

  it("says in it what it has to do with others of the project, as if all kits were made", async () => {
    const relay = "  - { name: relay-1, type: relay, org: a, listening_host: { default_host: localhost, port: 9000 } }";
    const text = projectText({ ...curve, 13: `    connect_to: { name: relay-1 }\n${relay}` });
    const files = { "hospital-a": "local/relay__resources.json", "server1.example.org": "startup/fed_server.json" };
    const projectFile = join(folder.dir, "project.yml");
    await writeFile(projectFile, text);
    const { prodDir } = await provision({ projectFile, workspace: join(folder.dir, "all"), caKey: "clear", now });
    for (const [name, file] of Object.entries(files)) {
      const { dir } = await issue(name, name, { projectText: text });
      expect(await readFile(join(dir, file), "utf8")).toBe(await readFile(join(prodDir, name, file), "utf8"));
    }
  });

  it("gives a new key and takes the earlier certificate back", async () => {
    const [first, second] = [await issue("hospital-a", "a"), await issue("hospital-a", "b", { now: later(5000) })];
    expect([first.hasRevoked, second.hasRevoked, second.trust?.number]).toEqual([false, true, 1]);
    const [one, other] = [await readKit(first.dir), await readKit(second.dir)];
    expect(one.privateKeyPem).not.toBe(other.privateKeyPem);
    const trust = ProjectTrust.from({ project, rootCaPem: one.rootCaPem });
    expect(trust.accept(second.trust?.trustListText ?? "")).toBe("accepted");
    await expect(verifyKit(one, { trust, now: later(10_000) })).rejects.toMatchObject({ code: "kit/revoked" });
    await verifyKit(other, { trust, now: later(10_000) });
    const status = await readProjectTrust({ workspace: workspace() });
    expect([status?.revoked.map(({ serials }) => serials), status?.trustList?.number]).toEqual([[[first.serial]], 1]);
  });

  it("keeps the earlier certificate when it is told to, and follows a change of role", async () => {
    await issue("admin@example.org", "a");
    const text = projectText(curve).replace("role: lead", "role: org_admin");
    const second = await issue("admin@example.org", "b", { earlier: "kept", projectText: text });
    expect([second.hasRevoked, (await readKit(second.dir)).role]).toEqual([false, "org_admin"]);
  });

  it("comes from the new root while one takes over, and trusts both", async () => {
    const before = await issue("hospital-a", "a");
    await startRollover({ workspace: workspace(), caKey: "clear", now: later(1000) });
    const after = await issue("hospital-a", "b", { earlier: "kept", now: later(2000) });
    const kit = await readKit(after.dir);
    expect(kit.rootCaPem.match(/BEGIN CERTIFICATE/g)).toHaveLength(2);
    await verifyKit(kit, { now: later(3000) });
    await verifyKit(await readKit(before.dir), { now: later(3000) });
    expect(await readProjectTrust({ workspace: workspace() })).toMatchObject({ isRollingOver: true });
  });

  it("refuses a name that the project has not, a folder that is there, and the wrong passphrase; nothing is left behind", async () => {
    const sealed = { caKey: { passphrase: "a good passphrase" } } as const;
    await issue("hospital-a", "a", sealed);
    expect((await errorOf(issue("hospital-b", "b", sealed))).code).toBe("project/unknown-participant");
    expect((await errorOf(issue("hospital-a", "a", sealed))).code).toBe("file/exists");
    expect((await errorOf(issue("hospital-a", "b", { caKey: { passphrase: "another one" } }))).code).toBe("project/passphrase-wrong");
    expect((await readdir(folder.dir)).sort()).toEqual(["a", "workspace"]);
    await checkCaKey({ workspace: workspace(), ...sealed });
    expect((await errorOf(checkCaKey({ workspace: workspace(), caKey: { passphrase: "another one" } }))).code).toBe(
      "project/passphrase-wrong",
    );
  });

  it("passes over what the dashboard keeps in the file", async () => {
    const { warnings } = await issue("hospital-a", "a", { projectText: `${projectText(curve)}dashboard: { title: Lungs }\n` });
    expect(warnings.map(({ message }) => message)).toEqual([]);
  });
});
