import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { temporaryFolder } from "../../test/temporary-folder.js";
import { runCommand } from "./run-command.js";

const projectText = `api_version: 3
name: p
certificates: { key_type: p256 }
participants:
  - { name: localhost, type: server, org: x, use_aio: true }
  - { name: site-1, type: client, org: x }
  - { name: ann@a.org, type: admin, org: x, role: lead }
`;

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let project: string;
let workspace: string;
beforeEach(async () => {
  folder = await temporaryFolder();
  project = join(folder.dir, "project.yml");
  workspace = join(folder.dir, "work space");
  await writeFile(project, projectText);
});
afterEach(() => folder.remove());

async function run(...argv: string[]): Promise<{ status: number; out: string[]; err: string[] }> {
  const [out, err]: [string[], string[]] = [[], []];
  const env = { FLARE_CA_PASSPHRASE: "only for this test" };
  const status = await runCommand({ argv, env, out: (line) => out.push(line), err: (line) => err.push(line) });
  return { status, out, err };
}

describe("flare-provision", () => {
  it("makes kits, says when their certificates end, and takes one back", async () => {
    const made = await run("--project_file", project, "-w", workspace, "--archive");
    expect(made).toMatchObject({ status: 0, err: [expect.stringContaining(`${project}:5:`)] });
    const [server, site] = made.out.map((line) => line.split("\t"));
    expect(server?.slice(0, 2)).toEqual(["server", "localhost"]);
    expect(site).toHaveLength(5);
    const kit = site?.[2] ?? "";
    expect(existsSync(join(kit, "startup/fed_client.json"))).toBe(true);
    expect(await readFile(join(workspace, "p/state/cert.json"), "utf8")).not.toContain("PRIVATE KEY");
    expect((await run("status", kit)).out.map((line) => line.split("\t")[3])).toEqual(["good", "good"]);

    const revoked = await run("revoke", "site-1", "-w", workspace, "--reason", "keyCompromise");
    expect(revoked).toMatchObject({ status: 0, out: [join(workspace, "p/state/trust.json"), join(workspace, "p/state/crl.pem")] });
    const conditions = (await run("status", "-w", workspace)).out.map((line) => line.split("\t")).map(([name, , , is]) => `${name} ${is}`);
    expect(conditions).toContain("site-1 revoked");
    expect(conditions).toContain("ann@a.org good");
  });

  it("tells each mistake of a project file with its line", async () => {
    await writeFile(project, projectText.replace("role: lead", "rolle: lead"));
    const { status, err } = await run("-p", project, "-w", workspace);
    expect(status).toBe(1);
    expect(err.join("\n")).toContain(`${project}:7:`);
    expect(existsSync(workspace)).toBe(false);
  });

  it.each([
    [["statos"], 4, "did you mean 'status'?"],
    [["--workspase", "w"], 4, "There is no flag --workspase; did you mean --workspace?"],
    [["--add_usr=ann.yml"], 4, "There is no flag --add-usr; did you mean --add-user?"],
    [["--nonsense"], 4, "--nonsense"],
    [["status", "a", "b"], 4, "'b' has no place"],
    [["revoke"], 4, "name of a participant"],
    [["revoke", "site-1", "--reason", "spite"], 4, "keyCompromise"],
    [["--clear-ca-key", "--ca-passphrase-file", "x"], 4, "exclude each other"],
    [["-p", "nowhere.yml"], 1, "There is no project file nowhere.yml"],
  ])("ends %j with status %i, and says why", async (argv, status, message) => {
    const result = await run(...argv);
    expect(result.status).toBe(status);
    expect(result.err[0]).toContain(message);
    expect(result.out).toEqual([]);
  });

  it("needs a passphrase, and asks nobody", async () => {
    const err: string[] = [];
    const init = { argv: ["-p", project, "-w", workspace], env: {}, out: () => undefined, err: (line: string) => void err.push(line) };
    expect(await runCommand(init)).toBe(1);
    expect(err[0]).toContain("FLARE_CA_PASSPHRASE");
    expect(await runCommand({ ...init, argv: [...init.argv, "--clear-ca-key"] })).toBe(0);
  });

  it("explains itself", async () => {
    const { status, out } = await run("--help");
    expect(status).toBe(0);
    expect(out[0]).toContain("flare-provision revoke <name>");
  });
});
