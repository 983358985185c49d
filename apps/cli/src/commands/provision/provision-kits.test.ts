import { readdir, readFile, writeFile } from "node:fs/promises";
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

  it("lists every mistake of a project file with its line, and writes nothing", async () => {
    await folder.run("provision", "-g", "-p", "wrong.yml");
    const path = join(folder.path, "wrong.yml");
    const sample = await readFile(path, "utf8");
    await writeFile(path, sample.replace("fed_learn_port", "fed_lern_port").replace("role: lead", "role: ledd"));
    const { exitCode, stdout, stderr } = await folder.run("provision", "-p", "wrong.yml");
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: "" });
    expect(stderr).toMatch(/^ {2}wrong.yml:\d+:\d+: unknown key 'fed_lern_port'; did you mean 'fed_learn_port'\?/m);
    expect(stderr).toMatch(/^ {2}wrong.yml:\d+:\d+: .*project_admin/m);
    expect(await readdir(folder.path)).toEqual(["wrong.yml"]);
  });
});
