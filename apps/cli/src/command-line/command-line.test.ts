import { type SpawnSyncReturns, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { errorCatalogue } from "@flare-ts/contracts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runHere } from "../flare-here.test-support.js";
import { type FlareFolder, type FlareResult, flareFolder } from "../flare-process.test-support.js";

let folder: FlareFolder;
beforeAll(async () => {
  folder = await flareFolder();
});
afterAll(() => folder.remove());

const commands = [
  ["provision"],
  ...["server", "client"].flatMap((group) => ["start", "stop", "status"].map((verb) => [group, verb])),
  ...["submit", "list", "monitor", "wait", "download", "abort"].map((verb) => ["job", verb]),
  ...["prepare", "start", "stop", "status", "clean"].map((verb) => ["poc", verb]),
  ["simulator"],
  ["system", "status"],
  ...["register", "add-site", "remove-site", "add-user", "remove-user", "remove", "list", "show"].map((verb) => ["study", verb]),
  ["cert", "init"],
  ["cert", "request"],
  ["cert", "approve"],
  ["package"],
  ["doctor", "engines"],
  ["gpu", "setup"],
  ["preflight"],
  ["preflight-check"],
  ["dashboard", "start"],
  ["dashboard", "reset-password"],
];

/** Runs a command line: as a process, as people get it, or in this one, where what it says is all that is looked at. */
function runFlare(args: readonly string[]): Promise<FlareResult> {
  return asProcesses.has(args.join(" ")) ? folder.run(...args) : runHere(folder, ...args);
}

/** One of each kind: a help, a command and an option that do not exist, a wrong value, and nothing at all. */
const asProcesses = new Set(["job submit --help", "job submitt", "preflight --kti kit", "poc prepare -n 0", ""]);

/** Runs a line of a shell, in which `"$0" "$@"` is the built command with its arguments. */
function runIn(cwd: string, line: string, args: readonly string[]): SpawnSyncReturns<string> {
  const flare = fileURLToPath(new URL("../../dist/flare.js", import.meta.url));
  return spawnSync("sh", ["-c", line.replace('"$0"', `"${process.execPath}" "$0"`), flare, ...args], {
    cwd,
    encoding: "utf8",
    env: { ...process.env, HOME: cwd },
  });
}

describe("the command line", () => {
  it("prints the version of the package", async () => {
    const manifest = JSON.parse(await readFile(new URL("../../package.json", import.meta.url), "utf8")) as { version: string };
    expect(await folder.run("--version")).toEqual({ exitCode: 0, stdout: `${manifest.version}\n`, stderr: "" });
  });

  it.each(commands)("has examples in the help of %s %s", async (...words) => {
    const { exitCode, stdout, stderr } = await runFlare([...words.filter((word) => typeof word === "string"), "--help"]);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(stdout).toContain("Usage: flare ");
    expect(stdout).toMatch(/Examples:\n {2}# .+\n {2}\$ flare /);
  });

  it.each([
    [["provisoin"], /Unknown command 'provisoin'. Did you mean provision\?/],
    [["job", "submitt"], /Unknown command 'submitt'. Did you mean submit\?/],
    [["server", "start", "kit", "--deamon"], /Unknown option '--deamon'. Did you mean --daemon\?/],
    [["aggregate", "--wieghts", "1,2", "a", "b", "-o", "c"], /Unknown option '--wieghts'. Did you mean --weights\?/],
    [["preflight", "--kti", "kit"], /Unknown option '--kti'. Did you mean --kit\?/],
    [["server", "start"], /Missing required argument 'kit'/],
    [["server", "start", "kit", "extra"], /Too many arguments/],
    [["server", "start", "kit", "--port", "70000"], /whole number from 0 to 65535/],
    [["server", "start", "kit", "--workspace", "w", "--daemon"], /cannot be used with/],
    [["job"], /ends before it names a command/],
    [["job", "submit"], /'-j, --job-folder <dir>' not specified/],
    [["study", "add-user", "lungs", "nobody@x"], /'nobody@x' is not the e-mail address of an admin/],
    [["study", "remove-user", "lungs", ""], /'' is not the e-mail address of an admin/],
    [["job", "list", "--format", "xml"], /Allowed choices are txt, json, jsonl/],
    [["job", "monitor", "not-an-id", "--startup-kit", "."], /'not-an-id' is not the id of a job/],
    [["poc", "prepare", "-n", "0"], /whole number from 1/],
    [["poc", "stop", "--timeout", "-1"], /positive number/],
    [["poc", "stop", "--timeout", "2147484"], /positive number, at most 2147483/],
    [["poc", "prepare", "--port", ""], /whole number from 1 to 65535/],
    [["server", "start", "kit", "--port", ""], /whole number from 0 to 65535/],
    [["server", "start", "kit", "--port", "0x10"], /whole number from 0 to 65535/],
    [["poc", "prepare", "-n", "1000000"], /whole number from 1 to 1000/],
    [["preflight"], /'-p, --kit <dir>' not specified/],
    [["preflight", "-p", ".", "--model-size", "many"], /size such as 400MB/],
    [[], /Usage: flare/],
  ])("answers %j with one clear error and status 4", async (args, expected) => {
    const { exitCode, stdout, stderr } = await runFlare(args);
    expect(exitCode).toBe(4);
    expect(stdout + stderr).toMatch(expected);
    expect(stderr).toContain("What to do: Run the command with --help.");
    expect(stderr).not.toContain("    at ");
  });

  it("wraps results and errors in FLARE's envelope when asked", async () => {
    const bad = await folder.run("server", "start", "nowhere", "--format", "json");
    const envelope = JSON.parse(bad.stdout) as Record<string, unknown>;
    expect(envelope).toMatchObject({ schema_version: "1", status: "error", exit_code: bad.exitCode });
    expect(Object.keys(errorCatalogue)).toContain(envelope["error_code"]);
    expect(envelope["message"]).toContain("nowhere");
    expect(envelope["hint"]).not.toBe("");
    const good = await folder.run("server", "status", ".", "--format=json");
    expect(JSON.parse(good.stdout)).toMatchObject({ schema_version: "1", status: "ok", exit_code: 0, data: { state: "stopped" } });
  });

  it("prints nothing but the envelope when it is asked for one and given no command", async () => {
    const { exitCode, stdout } = await folder.run("--format", "txt", "--format=json");
    expect(JSON.parse(stdout)).toMatchObject({ status: "error", exit_code: exitCode, error_code: "cli/invalid-arguments" });
  });

  it.skipIf(!existsSync("/dev/full"))("says that its output could not be written, and fails", () => {
    for (const args of [["--version"], ["doctor", "--help"], ["job", "list", "--format", "json"]]) {
      const { status, stderr } = runIn(folder.path, `"$0" "$@" > /dev/full`, args);
      expect({ status, stderr }).toEqual({
        status: 1,
        stderr: expect.stringMatching(/^error file\/unwritable: Cannot write the output: no space left on device\.\n/) as string,
      });
    }
  });

  it("says that the folder it runs in is there no more, where it is needed", async () => {
    const gone = join(folder.path, "gone");
    await mkdir(gone);
    const inGone = (...args: readonly string[]): SpawnSyncReturns<string> =>
      runIn(folder.path, `cd gone && rmdir ../gone; "$0" "$@"`, args);
    expect(inGone("--version")).toMatchObject({ status: 0 });
    await mkdir(gone);
    const { status, stderr } = inGone("provision", "-p", "project.yml");
    expect(status).toBe(1);
    expect(stderr).toMatch(/^error file\/not-found: The folder that this command runs in is there no more/);
  });

  it("shows a stack trace only with --verbose", async () => {
    const quiet = await folder.run("server", "start", "nowhere");
    expect(quiet.stderr).not.toContain("    at ");
    expect(quiet.stderr).toMatch(/^error [\w/-]+: .*\nWhat to do: .*\nRead more: docs\/errors.md#\w[\w-]*\n$/);
    expect((await folder.run("server", "start", "nowhere", "--verbose")).stderr).toContain("    at ");
  });

  it("says how an admin's kit is named when there is none", async () => {
    const { exitCode, stderr } = await folder.run("system", "status");
    expect(exitCode).toBe(4);
    expect(stderr).toContain("error cli/no-startup-kit:");
    expect(stderr).toContain("--startup-kit");
  });
});
