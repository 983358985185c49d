import { spawnSync } from "node:child_process";
import { chmod, mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { temporaryFolder } from "../../../test/temporary-folder.js";
import type { AdminParticipant, ClientParticipant, Project, RelayParticipant, ServerParticipant } from "../../project/project.js";
import type { KitFile } from "../kit-file.js";
import { adminScript } from "./admin-script.js";
import { dockerScript } from "./docker-script.js";
import { startAllScript } from "./start-all-script.js";

/** Writes down its arguments, its variables and its name, one call a line. */
const recorder = `#!/bin/sh
{ printf '%s' "\${0##*/}:\${FLARE_STARTUP_KIT_DIR:-}\${FLARE_STUDY:+@$FLARE_STUDY}"; printf '[%s]' "$@"; echo; } >>"$(dirname -- "$0")/calls"
exit "\${RECORDER_STATUS:-0}"
`;

const server = { type: "server", name: "server1.example.org", port: 8002 } as ServerParticipant;
const client = { type: "client", name: "hospital-a" } as ClientParticipant;
const relay = { type: "relay", name: "relay-1", fqcn: "relay-1" } as RelayParticipant;
const below = { type: "relay", name: "relay-0", fqcn: "relay-1.relay-0" } as RelayParticipant;
const admin = { type: "admin", name: "admin@example.org" } as AdminParticipant;

describe.each(["dash", "bash"])("under %s", (shell) => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let kits: string;
  let bin: string;
  beforeEach(async () => {
    folder = await temporaryFolder();
    kits = join(folder.dir, `kits' of "two" $HOME \`ls\` \\n`);
    bin = join(folder.dir, "the bin");
    await mkdir(bin);
    for (const name of ["flare", "docker"]) await writeFile(join(bin, name), recorder, { mode: 0o755 });
  });
  afterEach(() => folder.remove());

  async function put(kit: string, { path, text, mode }: KitFile): Promise<string> {
    const file = join(kits, kit, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
    await chmod(file, mode);
    return file;
  }

  function run(file: string, args: readonly string[] = [], env: NodeJS.ProcessEnv = {}): ReturnType<typeof spawnSync> {
    const path = `${bin}:${process.env["PATH"] ?? ""}`;
    return spawnSync(shell, [file, ...args], {
      env: { PATH: path, ...env },
      encoding: "utf8",
      cwd: "/",
      stdio: ["ignore", "pipe", "pipe"],
    });
  }
  const calls = async (): Promise<string[]> => (await readFile(join(bin, "calls"), "utf8")).trimEnd().split("\n");

  it("fl_admin.sh is the flare command with this kit", async () => {
    const file = await put("admin", adminScript());
    expect(run(file, ["job", "submit", "-j", "my job"], { RECORDER_STATUS: "3" }).status).toBe(3);
    expect(run(file).status).toBe(0);
    const kit = join(kits, "admin");
    for (const study of [["--study", "lungs"], ["--study=lungs"]]) run(file, [...study, "job", "list"]);
    run(file, ["--study"]);
    expect(await calls()).toEqual([
      `flare:${kit}[job][submit][-j][my job]`,
      `flare:${kit}[--help]`,
      `flare:${kit}@lungs[job][list]`,
      `flare:${kit}@lungs[job][list]`,
      `flare:${kit}[--help]`,
    ]);
  });

  it("a link to a script is as good as the script, wherever it lies and whatever it is called", async () => {
    const file = await put("admin", adminScript());
    const link = join(folder.dir, "lab");
    await symlink(file, link);
    await symlink("lab", join(folder.dir, "lab again"));
    for (const path of [link, join(folder.dir, "lab again")]) expect(run(path, ["job", "list"]).status).toBe(0);
    const call = `flare:${join(kits, "admin")}[job][list]`;
    expect(await calls()).toEqual([call, call]);
  });

  it("start_all.sh starts the server, then the relays from the top down, then the sites", async () => {
    const project = {
      server,
      participants: [client, below, relay, admin, server, { ...client, name: "hospital-b" }],
    } as unknown as Project;
    const file = await put("", startAllScript(project));
    for (const name of ["server1.example.org", "relay-1", "relay-0", "hospital-a", "hospital-b"]) {
      await put(name, {
        path: "startup/start.sh",
        mode: 0o755,
        text: `#!/bin/sh\nflare ${name}\n${name === "hospital-a" ? "exit 3" : ""}\n`,
      });
    }
    const { status, stderr } = run(file);
    expect(await calls()).toEqual(
      ["server1.example.org", "relay-1", "relay-0", "hospital-a", "hospital-b"].map((name) => `flare:[${name}]`),
    );
    expect({ status, stderr }).toEqual({ status: 1, stderr: "" });
  });

  const user = `[--user][${process.getuid?.()}:${process.getgid?.()}]`;

  it("docker.sh runs a site in the foreground, or with -d in the background", async () => {
    const file = await put("hospital-a", dockerScript(client, "example/flare:1"));
    const kit = join(kits, "hospital-a");
    expect(run(file).status).toBe(0);
    const given = { MY_DATA_DIR: "/srv/my data", GPU2USE: '--gpus="device=0,2"', NETARG: "--network=lab", DOCKER_IMAGE: "other:2" };
    expect(run(file, ["-d", "--verbose"], given).status).toBe(0);
    const safety = `[--stop-timeout][90][--name][hospital-a]${user}[--security-opt][no-new-privileges][--cap-drop][ALL][--ipc=host]`;
    expect(await calls()).toEqual([
      `docker:[run][-i][--init][--restart][no]${safety}[--network=host][-v][${kit}:/workspace:Z][-w][/workspace][--rm][--entrypoint][flare][example/flare:1][client][start][/workspace]`,
      `docker:[run][-d][--init][--restart][unless-stopped]${safety}[--network=lab][-v][${kit}:/workspace:Z][-w][/workspace][--env][FLARE_WATCHED=always][--gpus="device=0,2"][-v][/srv/my data:/data:ro][--entrypoint][flare][other:2][client][start][/workspace][--verbose]`,
    ]);
  });

  it.each([
    ["a", "flare-a"],
    ["_ward", "flare-ward"],
    ["Ward_1", "Ward_1"],
  ])("docker.sh of %s gives the container a name that docker takes: %s", (name, expected) => {
    expect(dockerScript({ ...client, name }, "example/flare:1").text).toContain(` --name '${expected}' `);
  });

  it("docker.sh of an admin runs one command", async () => {
    const file = await put("admin", dockerScript(admin, "it's/flare"));
    expect(run(file, ["job", "list"], { JOBS_DIR: "/my jobs" }).status).toBe(0);
    expect(await calls()).toEqual([
      `docker:[run][--rm][-i]${user}[--security-opt][no-new-privileges][--cap-drop][ALL][--network=host][--env][FLARE_STARTUP_KIT_DIR=/workspace][-v][${join(kits, "admin")}:/workspace:z][-w][/workspace][-v][/my jobs:/jobs:ro][--entrypoint][flare][it's/flare][job][list]`,
    ]);
  });

  it("docker.sh passes on the proxy that a site is to go through, and what else its process goes by", async () => {
    const file = await put("hospital-a", dockerScript(client, "example/flare:1"));
    const proxied = { https_proxy: "http://user:p%40ss@proxy:3128", NO_PROXY: "", no_proxy: "localhost", FLARE_ALLOW_CLEAR: "1" };
    expect(run(file, [], proxied).status).toBe(0);
    const admins = await put("admin", dockerScript(admin, "example/flare:1"));
    expect(run(admins, ["job", "list"], { FLARE_STUDY: "lungs", HTTPS_PROXY: "http://proxy:3128" }).status).toBe(0);
    const passed = (await calls()).map((call) => [...call.matchAll(/\[--env\]\[(\w+)\]/g)].map(([, name]) => name).toSorted());
    expect(passed).toEqual([
      ["FLARE_ALLOW_CLEAR", "https_proxy", "no_proxy"],
      ["FLARE_STUDY", "HTTPS_PROXY"],
    ]);
    expect((await calls()).join()).not.toContain("p%40ss");
  });

  it("docker.sh lets a server at a port below 1024 listen there, which nobody but root may on the host's network", async () => {
    const low = { ...server, port: 443, connectionSecurity: "mtls" } as ServerParticipant;
    const file = await put("server", dockerScript(low, "example/flare:1"));
    expect(run(file).status).toBe(0);
    expect(run(file, [], { NETARG: "--network=lab" }).status).toBe(0);
    const others = [server, { ...low, connectionSecurity: "clear" } as ServerParticipant];
    for (const [at, each] of others.entries()) run(await put(`server-${at}`, dockerScript(each, "example/flare:1")));
    const networks = (await calls()).map((call) => /\[(--(?:network|publish)=[^\]]*)\]/.exec(call)?.[1]);
    expect(networks).toEqual(["--publish=443:443", "--network=lab", "--network=host", "--network=host"]);
  });

  it("docker.sh runs the container as the owner of the kit, whoever starts it", async () => {
    await writeFile(join(bin, "ls"), '#!/bin/sh\necho "drwx------ 5 1234 2345 4096 Nov 27 12:00 $3"\n', { mode: 0o755 });
    for (const [kit, participant] of Object.entries({ "hospital-a": client, admin })) {
      expect(run(await put(kit, dockerScript(participant, "example/flare:1"))).status).toBe(0);
    }
    for (const call of await calls()) expect(call).toContain("[--user][1234:2345]");
  });

  it("docker.sh refuses a path that docker would take apart", async () => {
    const file = await put("a:b", dockerScript(server, "example/flare:1"));
    const { status, stderr } = run(file);
    expect(status).toBe(1);
    expect(stderr).toContain("it holds a colon");
  });
});
