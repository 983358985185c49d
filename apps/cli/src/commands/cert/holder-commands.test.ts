import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { freePort } from "@flare-ts/runtime";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type FlareFolder, flareFolder } from "../../flare-process.test-support.js";

let folder: FlareFolder;
let kits: string;
beforeAll(async () => {
  folder = await flareFolder({ FLARE_CA_PASSPHRASE: "correct horse battery staple" });
  const participants = [
    { name: "localhost", type: "server", org: "o", fed_learn_port: await freePort() },
    { name: "site-1", type: "client", org: "o" },
    { name: "site-2", type: "client", org: "o" },
    { name: "admin@example.org", type: "admin", org: "o", role: "project_admin" },
  ];
  const project = { api_version: 3, name: "cancer", participants, certificates: { key_type: "p256" } };
  await writeFile(join(folder.path, "project.yml"), JSON.stringify(project));
  kits = ((await folder.data("provision")) as { prod_dir: string }).prod_dir;
});
afterAll(() => folder.remove());

describe("flare cert", () => {
  it("revokes a site at the running server, which cuts it off, and the others learn of it", async () => {
    const server = folder.start("server", "start", join(kits, "localhost"));
    await server.printed(/listens on port/);
    const sites = ["site-1", "site-2"].map((name) => folder.start("client", "start", join(kits, name)));
    await Promise.all(sites.map((site) => site.printed(/is connected/)));
    const admin = join(kits, "admin@example.org");
    const revoked = await folder.data("cert", "revoke", "site-1", "--reason", "keyCompromise", "--startup-kit", admin);
    expect(revoked).toMatchObject({ participant: "site-1", is_pushed: true, number: 1, ended_sessions: [{ name: "site-1" }] });
    const started = await folder.data("cert", "rollover", "start", "--startup-kit", admin);
    expect(started).toMatchObject({ is_pushed: true, number: 2, ended_sessions: [], acknowledged: ["site-2"] });
    expect(await folder.data("cert", "push", "--startup-kit", admin)).toMatchObject({ number: 2, is_new: false });
    // As a command that was killed before it wrote the list out leaves it.
    await rm(join(kits, "..", "state", "trust.json"));
    expect(await folder.data("cert", "push", "--startup-kit", admin)).toMatchObject({ number: 2, is_new: false });
    for (const { child } of [server, ...sites]) child.kill();
    await Promise.all([server, ...sites].map(({ finished }) => finished));
  });

  it("says who is revoked, in a workspace and with the list in a kit", async () => {
    const status = await folder.run("cert", "status");
    expect(status.stdout).toMatch(/^site-1 +client +\S+ +89 d +revoked$/m);
    expect(status.stdout).toMatch(/^site-2 +client +\S+ +89 d +good$/m);
    expect(await folder.data("cert", "status", join(kits, "site-2"))).toMatchObject({ project: "cancer", trust_list_number: 2 });
  });

  it("makes the list and says how to hand it over when the server cannot be told, or nobody is to tell it", async () => {
    const admin = join(kits, "admin@example.org");
    const failed = await folder.run("cert", "revoke", "site-2", "--reason", "superseded", "--startup-kit", admin);
    expect(failed.exitCode).toBe(2);
    expect(failed.stderr).toMatch(/Trust list 3 is made \(.*trust\.json\), but the server could not be told/);
    const kept = await folder.run("cert", "revoke", "site-2", "--reason", "superseded", "--no-push");
    expect(kept.exitCode).toBe(0);
    expect(kept.stderr).toContain("flare cert push");
  });

  it("has nothing to push for a project in which nobody was revoked", async () => {
    await folder.data("provision", "-w", "untouched");
    const { exitCode, stderr } = await folder.run("cert", "push", "-w", "untouched");
    expect(exitCode).toBe(1);
    expect(stderr).toContain("error project/no-trust-list:");
  });

  it("shows no passphrase and no key, and refuses a wrong passphrase in one sentence", async () => {
    await writeFile(join(folder.path, "wrong"), "battery horse correct\n");
    const wrong = await folder.run("provision", "--ca-passphrase-file", "wrong", "--verbose");
    expect(wrong.exitCode).toBe(1);
    expect(wrong.stderr).toContain("error project/passphrase-wrong:");
    expect(wrong.stdout + wrong.stderr).not.toMatch(/battery|PRIVATE KEY|sealed:/);
    const refused = await folder.run("cert", "revoke", "nobody", "--reason", "superseded");
    expect(refused.stderr).toContain("error project/unknown-participant:");
    expect(await readFile(join(kits, "..", "state", "cert.json"), "utf8")).not.toContain("PRIVATE KEY");
  });

  it("asks a CA elsewhere for a certificate, once, and never writes over a file", async () => {
    expect(await folder.data("cert", "ca", "request", "--project", "second", "-o", "second.csr")).toMatchObject({ project: "second" });
    expect(await readFile(join(folder.path, "second.csr"), "utf8")).toMatch(/^-----BEGIN CERTIFICATE REQUEST-----\n/);
    const again = await folder.run("cert", "ca", "request", "--project", "second", "-o", "second.csr");
    expect(again.stderr).toContain("error cli/output-exists:");
  });

  it("does not end a rollover while the server and the admin still use certificates of the old root", async () => {
    const server = folder.start("server", "start", join(kits, "localhost"));
    await server.printed(/listens on port/);
    await folder.data("provision");
    const before = await folder.data("cert", "status", "--project", "cancer");
    const early = await folder.run("cert", "rollover", "finish", "--project", "cancer", "--startup-kit", join(kits, "admin@example.org"));
    expect(early.stderr).toContain("Not everybody uses a certificate of the new root yet: admin@example.org, localhost.");
    expect(await folder.data("cert", "status", "--project", "cancer")).toEqual(before);
    server.child.kill();
    await server.finished;
  });
});
