import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { provision } from "@flare-ts/provision";
import { freePort } from "@flare-ts/runtime";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type FlareFolder, flareFolder } from "../../flare-process.test-support.js";

let folder: FlareFolder;
let kits: string;
beforeAll(async () => {
  folder = await flareFolder();
  const projectFile = join(folder.path, "project.yml");
  const participants = [
    { name: "localhost", type: "server", org: "o", fed_learn_port: await freePort() },
    { name: "site-1", type: "client", org: "o" },
    { name: "admin@example.org", type: "admin", org: "o", role: "project_admin" },
  ];
  const certificates = { key_type: "p256", leaf_lifetime: "1h", renewal: "ca_holder" };
  await writeFile(projectFile, JSON.stringify({ api_version: 3, name: "cancer", participants, certificates }));
  // Made 45 minutes ago: renewal is due at once.
  const now = new Date(Date.now() - 45 * 60_000);
  kits = (await provision({ projectFile, workspace: join(folder.path, "workspace"), caKey: "clear", now })).prodDir;
});
afterAll(() => folder.remove());

interface Renewals {
  readonly signed: readonly string[];
  readonly declined: readonly string[];
  readonly waiting: readonly { readonly name: string }[];
}

describe("flare cert renewals", () => {
  it("lists what waits at the server, and signs what is named, so that the site goes on with the new certificate", async () => {
    const server = folder.start("server", "start", join(kits, "localhost"));
    await server.printed(/listens on port/);
    const site = folder.start("client", "start", join(kits, "site-1"));
    await site.printed(/is connected/);
    const renewals = async (...names: string[]): Promise<Renewals> =>
      (await folder.data("cert", "renewals", ...names, "--startup-kit", join(kits, "admin@example.org"))) as Renewals;
    let found = await renewals();
    while (!found.waiting.some(({ name }) => name === "site-1")) found = await renewals();
    expect(await renewals("localhost", "--decline")).toMatchObject({ signed: [], declined: ["localhost"] });
    expect((await renewals("site-1")).signed).toEqual(["site-1"]);
    const renewed = async (): Promise<boolean> => {
      const { certificates } = (await folder.data("cert", "status", join(kits, "site-1"))) as {
        certificates: { name: string; condition: string }[];
      };
      return certificates.some(({ name, condition }) => name === "site-1" && condition === "good");
    };
    while (!(await renewed())) await site.printed(/./);
    for (const { child } of [server, site]) child.kill();
    await Promise.all([server, site].map(({ finished }) => finished));
    const nobody = await folder.run("cert", "renewals", "--decline", "--startup-kit", join(kits, "admin@example.org"));
    expect(nobody.exitCode).toBe(4);
    const unknown = await folder.run("cert", "renewals", "site-2", "--startup-kit", join(kits, "admin@example.org"));
    expect(unknown.exitCode).not.toBe(0);
  });
});
