import { existsSync } from "node:fs";
import { appendFile, cp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { freePort } from "@flare-ts/runtime";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type FlareFolder, flareFolder } from "../../flare-process.test-support.js";

describe("flare server and flare client", () => {
  let folder: FlareFolder;
  let kits: string;
  beforeAll(async () => {
    folder = await flareFolder();
    await folder.data("provision", "-g");
    kits = ((await folder.data("provision", "--clear-ca-key")) as { prod_dir: string }).prod_dir;
  });
  afterAll(() => folder.remove());

  it("says when the server listens, drains at SIGTERM and ends with 0", async () => {
    const server = folder.start(
      "server",
      "start",
      join(kits, "server.example.org"),
      "--port",
      "0",
      "--workspace",
      join(folder.path, "state"),
    );
    await server.printed(/Server server\.example\.org listens on port \d+/);
    server.child.kill("SIGTERM");
    const { exitCode, stdout, stderr } = await server.finished;
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
    expect(stdout).toContain("The server has stopped.");
    expect(stderr).toContain("stopping in good order");
  });

  it("goes on when nobody reads its log any more", async () => {
    const project = join(folder.path, "own-port.yml");
    const sample = await readFile(join(folder.path, "project.yml"), "utf8");
    const port = await freePort();
    await writeFile(project, sample.replace("fed_learn_port: 8002", `fed_learn_port: ${port}\n    default_host: localhost`));
    const { prod_dir: own } = (await folder.data("provision", "-p", project, "-w", "own", "--clear-ca-key")) as { prod_dir: string };
    const kit = join(own, "server.example.org");
    const server = folder.start("server", "start", kit);
    await server.printed(/listens on port/);
    server.child.stdout?.destroy();
    server.child.stderr?.destroy();
    // The server writes a log line about the site, which nobody can read.
    const site = folder.start("client", "start", join(own, "hospital-1"));
    await site.printed(/Site hospital-1 is connected/);
    const statusOfSite = (): Promise<unknown> => folder.data("client", "status", join(own, "hospital-1"));
    expect(await statusOfSite()).toMatchObject({ state: "ready", server: { state: "connected" } });
    expect(await folder.data("server", "status", kit)).toMatchObject({ state: "ready", pid: server.child.pid });
    // A copy of its kit is kept out, and whoever starts it is told why.
    const copy = join(own, "copy-of-hospital-1");
    await cp(join(own, "hospital-1", "startup"), join(copy, "startup"), { recursive: true });
    await cp(join(own, "hospital-1", "local"), join(copy, "local"), { recursive: true });
    const twin = await folder.run("client", "start", copy, "--daemon");
    expect(twin.stdout).toMatch(/does not let it in: "hospital-1" is connected from .*, last heard of \d+ ms ago\. It goes on trying;/);
    await folder.data("client", "stop", copy);
    server.child.kill("SIGTERM");
    expect((await server.finished).exitCode).toBe(0);
    // A site whose server is away runs on, and its status says how it is.
    await expect.poll(statusOfSite).toMatchObject({ state: "ready", server: { state: "unreachable" } });
    site.child.kill("SIGTERM");
    expect((await site.finished).exitCode).toBe(0);
  });

  it("takes no site for a server, and no path that leads nowhere for a site that does not run", async () => {
    const site = join(kits, "hospital-1");
    expect((await folder.run("server", "stop", site)).stderr).toContain("error kit/wrong-type:");
    expect((await folder.run("server", "status", site)).stderr).toContain("error kit/wrong-type:");
    // In the background as well, and before a log is written.
    expect((await folder.run("server", "start", site, "--daemon")).stderr).toContain("error kit/wrong-type:");
    expect((await folder.run("client", "start", `${site}0`, "--daemon")).stderr).toContain("error kit/not-a-folder:");
    expect((await folder.run("client", "start", kits, "--daemon")).stderr).toContain("error kit/not-a-kit:");
    expect(existsSync(join(kits, "log.txt"))).toBe(false);
    expect((await folder.run("client", "status", `${site}0`)).stderr).toContain("error kit/not-a-folder:");
    expect((await folder.run("client", "stop", join(site, "startup", "rootCA.pem"))).stderr).toContain("error kit/not-a-folder:");
    expect((await folder.run("client", "stop", site)).exitCode).toBe(0);
  });

  it("refuses a second process on the same kit and leaves the first alone", async () => {
    const kit = join(kits, "server.example.org");
    const server = folder.start("server", "start", kit, "--port", "0");
    await server.printed(/listens on port/);
    const second = await folder.run("server", "start", kit, "--port", "0");
    expect(second.stderr).toContain("error runtime/already-running:");
    expect(await folder.data("server", "status", kit)).toMatchObject({ state: "ready", pid: server.child.pid });
    server.child.kill("SIGTERM");
    expect((await server.finished).exitCode).toBe(0);
    expect(await folder.data("server", "stop", kit)).toMatchObject({ outcome: "not-running" });
  });

  it("listens in the background too where the command line says", async () => {
    const kit = join(kits, "server.example.org");
    const port = await freePort();
    await folder.data("server", "start", kit, "--daemon", "--port", String(port));
    expect(await folder.data("server", "status", kit)).toMatchObject({ state: "ready", port });
    expect(await folder.data("server", "stop", kit)).toMatchObject({ outcome: "stopped" });
  });

  it("takes no kit of another kind", async () => {
    const { exitCode, stderr } = await folder.run("server", "start", join(kits, "hospital-1"));
    expect(exitCode).not.toBe(0);
    expect(stderr).toContain("error kit/wrong-type:");
  });

  it("does not listen for clear text from other machines unless it is told to", async () => {
    const sample = await readFile(join(folder.path, "project.yml"), "utf8");
    await writeFile(join(folder.path, "clear.yml"), `${sample}\nconnection_security: clear\n`);
    const { prod_dir: clear } = (await folder.data("provision", "-p", "clear.yml", "-w", "clear", "--clear-ca-key")) as {
      prod_dir: string;
    };
    const kit = join(clear, "server.example.org");
    const { exitCode, stderr } = await folder.run("server", "start", kit, "--port", "0", "--host", "0.0.0.0");
    expect(exitCode).not.toBe(0);
    expect(stderr).toContain("error transfer/clear-refused:");
    expect(stderr).toContain("--allow-clear");
    const server = folder.start("server", "start", kit, "--port", "0", "--host", "0.0.0.0", "--allow-clear");
    await server.printed(/listens on port/);
    server.child.kill("SIGTERM");
    expect((await server.finished).exitCode).toBe(0);
  });

  it("names the file of a kit that was changed", async () => {
    const kit = join(kits, "hospital-2");
    await appendFile(join(kit, "startup", "fed_client.json"), "\n");
    const { exitCode, stderr } = await folder.run("client", "start", kit);
    expect(exitCode).not.toBe(0);
    expect(stderr).toContain("error kit/");
    expect(stderr).toContain("fed_client.json");
  });

  it("shows why a process in the background did not start, in that process's own words, and not those of earlier starts", async () => {
    const kit = join(kits, "hospital-2");
    await writeFile(join(kit, "log.txt"), "error of yesterday\n");
    const { exitCode, stderr } = await folder.run("client", "start", kit, "--daemon");
    expect(exitCode).toBe(1);
    expect(stderr).toContain("error runtime/start-failed:");
    expect(stderr).toMatch(/^ {2}error kit\/signature-mismatch: .*fed_client\.json/m);
    expect(stderr).not.toContain("yesterday");
  });
});
