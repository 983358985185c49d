import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type FlareFolder, flareFolder } from "../../flare-process.test-support.js";

let folder: FlareFolder;
beforeEach(async () => {
  folder = await flareFolder();
});
afterEach(() => folder.remove());

describe("flare provision", () => {
  it("writes a sample project file that can be provisioned, and never over one that is there", async () => {
    expect((await folder.run("provision", "-g")).exitCode).toBe(0);
    const sample = await readFile(join(folder.path, "project.yml"), "utf8");
    const again = await folder.run("provision", "-g");
    expect(again.exitCode).toBe(1);
    expect(again.stderr).toContain("error cli/output-exists:");
    expect(await readFile(join(folder.path, "project.yml"), "utf8")).toBe(sample);
    const data = await folder.data("provision", "--clear-ca-key");
    expect(data).toMatchObject({ prod_dir: join(folder.path, "workspace", "example_project", "prod_00"), warnings: [] });
    const kits = await readdir(join(folder.path, "workspace", "example_project", "prod_00"));
    expect(kits.sort()).toEqual(["admin@example.org", "hospital-1", "hospital-2", "lead@example.org", "server.example.org"]);
  });

  it("makes an encrypted archive of each kit when asked, and shows each passphrase once, on the standard output alone", async () => {
    await folder.run("provision", "-g");
    const { exitCode, stdout, stderr } = await folder.run("provision", "--archive", "--clear-ca-key");
    expect(exitCode).toBe(0);
    const prodDir = join(folder.path, "workspace", "example_project");
    const shown = [...stdout.matchAll(/^(\S{4}(?:-\S{4}){4}) +(\S+\.zip)$/gm)].map(([, passphrase, file]) => [passphrase, file]);
    expect(shown.map(([, file]) => file)).toEqual(
      ["server.example.org", "hospital-1", "hospital-2", "admin@example.org", "lead@example.org"].map((name) =>
        join(prodDir, "prod_00", `${name}.zip`),
      ),
    );
    expect(new Set(shown.map(([passphrase]) => passphrase)).size).toBe(5);
    for (const [passphrase = ""] of shown) expect(stderr).not.toContain(passphrase);
    const { kits } = (await folder.data("provision", "--archive", "--clear-ca-key")) as { kits: { name: string; archive?: object }[] };
    expect(kits[1]).toMatchObject({
      name: "hospital-1",
      archive: { file: join(prodDir, "prod_01", "hospital-1.zip"), passphrase: expect.stringMatching(/^\S{4}(-\S{4}){4}$/) },
    });
  });

  it("says of a project that is there who is new in it, and whose kit need not be handed out again", async () => {
    await folder.run("provision", "-g");
    expect((await folder.run("provision", "--clear-ca-key")).stdout).toMatch(/^PARTICIPANT +TYPE +STARTUP KIT$/m);
    const file = join(folder.path, "project.yml");
    const sample = await readFile(file, "utf8");
    await writeFile(file, sample.replaceAll("hospital-2", "hospital-3"));
    await folder.data("cert", "revoke", "lead@example.org", "--reason", "superseded", "--no-push");
    const { stdout, stderr } = await folder.run("provision", "--clear-ca-key");
    expect(stdout).toMatch(/^hospital-1 +client +kept +\S+prod_01/m);
    expect(stdout).toMatch(/^hospital-3 +client +new +\S+prod_01/m);
    expect(stdout).toMatch(/^lead@example\.org +admin +new key +\S+prod_01/m);
    expect(stderr).toContain("Whose identity is kept can stay with the kit they have");
    const { kits } = (await folder.data("provision", "--clear-ca-key")) as { kits: { name: string; identity: string }[] };
    expect(new Set(kits.map(({ identity }) => identity))).toEqual(new Set(["kept"]));
  });

  it("lists every mistake of a project file with its line, and writes nothing", async () => {
    await folder.run("provision", "-g", "-p", "wrong.yml");
    const path = join(folder.path, "wrong.yml");
    const sample = await readFile(path, "utf8");
    await writeFile(path, sample.replace("fed_learn_port", "fed_lern_port").replace("role: lead", "role: server"));
    const { exitCode, stdout, stderr } = await folder.run("provision", "-p", "wrong.yml");
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: "" });
    expect(stderr).toMatch(/^ {2}wrong.yml:\d+:\d+: unknown key 'fed_lern_port'; did you mean 'fed_learn_port'\?/m);
    expect(stderr).toMatch(/^ {2}wrong.yml:\d+:\d+: .*project_admin/m);
    expect(await readdir(folder.path)).toEqual(["wrong.yml"]);
  });

  it("writes the sample when there is nothing to provision, and a sample of a tree when asked", async () => {
    const first = await folder.run("provision");
    expect({ exitCode: first.exitCode, stdout: first.stdout }).toEqual({ exitCode: 0, stdout: "Wrote project.yml.\n" });
    expect(await readdir(folder.path)).toEqual(["project.yml"]);
    expect((await folder.run("provision", "--gen_edge", "-p", "tree.yml")).exitCode).toBe(0);
    const { kits } = (await folder.data("provision", "--project_file", "tree.yml", "--clear-ca-key")) as { kits: { type: string }[] };
    expect(kits.filter(({ type }) => type === "relay")).toHaveLength(6);
    expect(kits).toHaveLength(26);
  });

  it("adds participants, start_all.sh and builders of one's own, by FLARE's flags", async () => {
    await folder.run("provision", "-g");
    const at = (name: string): string => join(folder.path, name);
    await writeFile(at("user.yml"), "name: bob@example.org\norg: research\nrole: member\n");
    await writeFile(at("client.yml"), "name: hospital-3\norg: hospital_3\n");
    await mkdir(at("custom"));
    await writeFile(
      at("custom/hello.mjs"),
      `import { writeFileSync } from "node:fs";
       export default { build: ({ kitsDir }) => writeFileSync(kitsDir + "/hello.txt", "hello") };`,
    );
    const sample = await readFile(at("project.yml"), "utf8");
    await writeFile(at("project.yml"), `${sample}builders:\n  - path: ./hello.mjs\n`);
    const flags = ["--add-user", "user.yml", "--add_client", "client.yml", "-s", "-c", "custom", "--force", "--clear-ca-key"];
    const { prod_dir } = (await folder.data("provision", ...flags)) as { prod_dir: string };
    expect((await readdir(prod_dir)).sort()).toEqual([
      "admin@example.org",
      "bob@example.org",
      "hello.txt",
      "hospital-1",
      "hospital-2",
      "hospital-3",
      "lead@example.org",
      "server.example.org",
      "start_all.sh",
    ]);
    expect(await readFile(at("project.yml"), "utf8")).toBe(`${sample}builders:\n  - path: ./hello.mjs\n`);
  });

  it("prints what it takes as JSON", async () => {
    const { exitCode, stdout } = await folder.run("provision", "--schema");
    expect(exitCode).toBe(0);
    const schema = JSON.parse(stdout) as { command: string; args: { name: string }[] };
    expect(schema).toMatchObject({ schema_version: "1", command: "flare provision" });
    expect(schema.args).toContainEqual({
      name: "--project-file",
      type: "path",
      required: false,
      description: expect.any(String) as unknown,
      default: null,
      aliases: ["-p"],
    });
    expect(schema.args.map(({ name }) => name)).not.toContain("--project_file");
    expect(await readdir(folder.path)).toEqual([]);
  });
});
