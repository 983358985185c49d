import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { freePort } from "@flare-ts/runtime";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type FlareFolder, flareFolder } from "../../flare-process.test-support.js";

const participants = {
  localhost: { type: "server", org: "research", host_names: ["127.0.0.1"] },
  "hospital-a": { type: "client", org: "hospital_a" },
  "lead@example.org": { type: "admin", org: "research", role: "lead" },
};
type Name = keyof typeof participants;
const names = Object.keys(participants) as Name[];

let folder: FlareFolder;
let fingerprint: string;
beforeAll(async () => {
  folder = await flareFolder({ FLARE_CA_PASSPHRASE: "correct horse battery staple" });
  const profile = { name: "cancer", connection_security: "mtls", server: { host: "localhost", fed_learn_port: await freePort() } };
  await writeFile(join(folder.path, "project_profile.yaml"), JSON.stringify(profile));
  const made = (await folder.data("cert", "init", "-o", "ca")) as { rootca_fingerprint_sha256: string };
  fingerprint = made.rootca_fingerprint_sha256;
});
afterAll(() => folder.remove());

async function requestOf(name: Name): Promise<string> {
  await writeFile(join(folder.path, `${name}.yaml`), JSON.stringify({ name: "cancer", participants: [{ name, ...participants[name] }] }));
  return ((await folder.data("cert", "request", "-p", `${name}.yaml`)) as { request_zip: string }).request_zip;
}

async function kitOf(name: Name, signed: string): Promise<string> {
  const packaged = await folder.data("package", signed, "--fingerprint", fingerprint, "-w", `at ${name}`);
  expect(packaged).toMatchObject({ name, is_fingerprint_checked: true, dir: join(folder.path, `at ${name}`, "cancer", "prod_00", name) });
  return (packaged as { dir: string }).dir;
}

describe("flare cert and flare package", () => {
  it("make a federation that starts, and no key is where it does not belong", async () => {
    const requests = await Promise.all(names.map(requestOf));
    const signed: string[] = [];
    for (const request of requests) {
      signed.push(((await folder.data("cert", "approve", request, "-c", "ca", "--yes")) as { signed_zip: string }).signed_zip);
    }
    const [serverKit = "", siteKit = "", adminKit = ""] = await Promise.all(names.map((name, i) => kitOf(name, signed[i] ?? "")));
    const server = folder.start("server", "start", serverKit);
    await server.printed(/listens on port/);
    const site = folder.start("client", "start", siteKit);
    await site.printed(/Site hospital-a is connected/);
    const status = await folder.data("system", "status", "--startup-kit", adminKit);
    expect(JSON.stringify(status)).toContain("hospital-a");
    for (const process of [site, server]) process.child.kill("SIGTERM");
    expect([(await site.finished).exitCode, (await server.finished).exitCode]).toEqual([0, 0]);
    const withKeys = await filesWith(folder.path, /PRIVATE KEY/);
    const expected = names.flatMap((name) => {
      const kit = join(`at ${name}`, "cancer", "prod_00", name, "startup");
      return [join(name, `${name}.key`), join(kit, name === "localhost" ? "server.key" : "client.key")];
    });
    expect(withKeys).toEqual(expected.sort());
    expect((await stat(join(folder.path, "ca", "rootCA.key"))).mode & 0o777).toBe(0o600);
  });

  it("show an approver what is asked, and issue nothing unless somebody says yes", async () => {
    await writeFile(
      join(folder.path, "b.yaml"),
      JSON.stringify({ name: "cancer", participants: [{ name: "hospital-b", type: "client", org: "b" }] }),
    );
    const { request_zip } = (await folder.data("cert", "request", "-p", "b.yaml")) as { request_zip: string };
    const refused = await folder.run("cert", "approve", request_zip, "-c", "ca");
    expect(refused.exitCode).toBe(4);
    expect(refused.stderr).toMatch(/^name +hospital-b$/m);
    expect(refused.stderr).toMatch(/^role +client$/m);
    expect(refused.stderr).toContain("error cli/not-confirmed:");
    expect(await readdir(join(folder.path, "hospital-b"))).not.toContain("hospital-b.signed.zip");
  });

  it("name each mistake of a participant file with its line and the nearest known key", async () => {
    await writeFile(
      join(folder.path, "wrong.yaml"),
      "name: cancer\nparticipants:\n  - name: lead@example.org\n    type: admin\n    organisation: x\n    role: project_admin\n",
    );
    const { exitCode, stderr } = await folder.run("cert", "request", "-p", "wrong.yaml");
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/wrong\.yaml:5:5: unknown key 'organisation'/);
    expect(stderr).toMatch(/wrong\.yaml:6:5: project_admin cannot be asked for/);
  });

  it("refuse a passphrase that is wrong", async () => {
    await writeFile(join(folder.path, "passphrase"), "another one\n");
    const archive = join("hospital-b", "hospital-b.request.zip");
    const wrong = await folder.run("cert", "approve", archive, "-c", "ca", "--yes", "--ca-passphrase-file", "passphrase");
    expect(wrong.stderr).toContain("error project/passphrase-wrong:");
  });
});

/** Files below a folder whose bytes match, with paths relative to it. */
async function filesWith(dir: string, pattern: RegExp): Promise<string[]> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const texts = await Promise.all(files.map(async (file) => [file, await readFile(file, "latin1")] as const));
  return texts
    .filter(([, text]) => pattern.test(text))
    .map(([file]) => file.slice(dir.length + 1))
    .sort();
}
