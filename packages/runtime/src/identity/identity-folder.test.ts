import { X509Certificate } from "node:crypto";
import { chmod, cp, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { TestProject } from "../session/test-project.test-support.js";
import { IdentityFolder, type IdentityRequest } from "./identity-folder.js";

let folder: string;
let identities: IdentityFolder;
const project = new TestProject("p");

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "flare-identity-"));
  identities = new IdentityFolder({ folder: join(folder, "identity"), name: "client" });
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const at = (...path: string[]): string => join(folder, "identity", ...path);
const never = (): Promise<IdentityRequest> => Promise.reject(new Error("no key was to be made"));

/** Puts a new identity in force and gives it. */
async function renew(): Promise<{ certificatePem: string; privateKeyPem: string; serial: string }> {
  const { certificatePem, privateKeyPem } = project.issue({ name: "site-1" });
  await identities.pending(() => Promise.resolve({ privateKeyPem, csrPem: "a request" }));
  await identities.adopt(certificatePem, { privateKeyPem });
  return { certificatePem, privateKeyPem, serial: new X509Certificate(certificatePem).serialNumber.toLowerCase() };
}

describe("the folder of renewed identities", () => {
  it("gives back what was put in force, with a key that only its owner can read, and keeps nothing of before", async () => {
    expect(await identities.read()).toEqual({ identities: [], damaged: [] });
    await renew();
    const { certificatePem, privateKeyPem, serial } = await renew();
    expect(await identities.read()).toEqual({ identities: [{ certificatePem, privateKeyPem }], damaged: [] });
    expect((await readdir(at())).sort()).toEqual([serial, "current"].sort());
    expect((await stat(at(serial, "client.key"))).mode & 0o777).toBe(0o600);
    expect((await readFile(at("current"), "utf8")).trim()).toBe(serial);
  });

  it("keeps the key of a request until its certificate comes, also when the process is started anew", async () => {
    const request = await identities.pending(() =>
      Promise.resolve({ privateKeyPem: project.issue({ name: "a" }).privateKeyPem, csrPem: "r" }),
    );
    const reopened = new IdentityFolder({ folder: at(), name: "client" });
    expect(await reopened.pending(never)).toEqual(request);
    await rm(at("next", "client.csr"));
    const other = { privateKeyPem: project.issue({ name: "b" }).privateKeyPem, csrPem: "another" };
    expect(await reopened.pending(() => Promise.resolve(other))).toEqual(other);
    await reopened.discardPending();
    await expect(reopened.pending(never)).rejects.toThrow("no key");
  });

  it("stands two processes that renew at once: they ask with one key, and whoever comes last is in force", async () => {
    await renew();
    const other = new IdentityFolder({ folder: at(), name: "client" });
    const requestOf = (name: string) => ({ privateKeyPem: project.issue({ name }).privateKeyPem, csrPem: name });
    const [first, second] = await Promise.all([
      identities.pending(() => Promise.resolve(requestOf("a"))),
      other.pending(() => Promise.resolve(requestOf("b"))),
    ]);
    expect(first).toEqual(second);
    const [one, two] = [project.issue({ name: "site-1" }), project.issue({ name: "site-1" })];
    await Promise.all([identities.adopt(one.certificatePem, one), other.adopt(two.certificatePem, two)]);
    const { identities: found, damaged } = await identities.read();
    expect(damaged).toEqual([]);
    expect([one.certificatePem, two.certificatePem]).toContain(found[0]?.certificatePem);
    const last = project.issue({ name: "site-1" });
    await other.adopt(last.certificatePem, last);
    expect(await identities.read()).toEqual({
      identities: [{ certificatePem: last.certificatePem, privateKeyPem: last.privateKeyPem }],
      damaged: [],
    });
  });

  it("does not ask again with a key whose certificate is in force, as after a crash before it was removed", async () => {
    const request = await identities.pending(() => {
      const { privateKeyPem } = project.issue({ name: "site-1" });
      return Promise.resolve({ privateKeyPem, csrPem: "r" });
    });
    await cp(at("next"), join(folder, "kept"), { recursive: true });
    const { certificatePem } = project.issue({ name: "site-1" });
    await identities.adopt(certificatePem, request);
    await cp(join(folder, "kept"), at("next"), { recursive: true });
    const fresh = { privateKeyPem: project.issue({ name: "site-1" }).privateKeyPem, csrPem: "another" };
    expect(await identities.pending(() => Promise.resolve(fresh))).toEqual(fresh);
  });

  it("puts the one in force first when a crash left the next beside it", async () => {
    const first = await renew();
    await cp(at(first.serial), join(folder, "kept"), { recursive: true });
    const second = await renew();
    await cp(join(folder, "kept"), at(first.serial), { recursive: true });
    expect((await identities.read()).identities.map(({ certificatePem }) => certificatePem)).toEqual([
      second.certificatePem,
      first.certificatePem,
    ]);
    await writeFile(at("current"), first.serial);
    expect((await identities.read()).identities[0]?.certificatePem).toBe(first.certificatePem);
  });

  it.each<[string, (serial: string) => Promise<void>, RegExp]>([
    ["without its key", (serial) => rm(at(serial, "client.key")), /missing/],
    ["with half a certificate", async (serial) => writeFile(at(serial, "client.crt"), "-----BEGIN CERT"), /cannot be read/],
    [
      "with another's key",
      async (serial) => writeFile(at(serial, "client.key"), project.issue({ name: "x" }).privateKeyPem),
      /does not belong/,
    ],
    ["with a key that others can read", (serial) => chmod(at(serial, "client.key"), 0o644), /other accounts/],
    ["that is not there", (serial) => rm(at(serial), { recursive: true }), /not there/],
  ])("tells of an identity %s, and gives none of it", async (_what, damage, reason) => {
    const { serial } = await renew();
    await damage(serial);
    expect(await identities.read()).toEqual({ identities: [], damaged: [{ folder: at(serial), reason: expect.stringMatching(reason) }] });
  });
});
