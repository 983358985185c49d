import { cp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { freePort } from "@flare-ts/runtime";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type FlareFolder, flareFolder } from "../../flare-process.test-support.js";

let folder: FlareFolder;
beforeAll(async () => {
  folder = await flareFolder();
});
afterAll(() => folder.remove());

describe("flare chaos", () => {
  it("refuses to run where no POC federation was prepared", async () => {
    const { exitCode, stderr } = await folder.run("chaos");
    expect(exitCode).not.toBe(0);
    expect(stderr).toContain("error poc/not-prepared:");
  });

  it("refuses the kits of a federation at work, for a server that is elsewhere, also when the POC workspace names them", async () => {
    await folder.data("provision", "-g");
    const { prod_dir: production } = (await folder.data("provision", "--clear-ca-key")) as { prod_dir: string };
    await folder.data("poc", "prepare", "-n", "2");
    const pocFile = join(folder.path, "poc", "poc.json");
    const poc = JSON.parse(await readFile(pocFile, "utf8")) as object;
    const names = { server: "server.example.org", clients: ["hospital-1", "hospital-2"], admin: "admin@example.org" };

    await writeFile(pocFile, JSON.stringify({ ...poc, ...names, kits: production.replace(folder.path, "..") }));
    const outside = await folder.run("chaos");
    expect(outside.stderr).toContain("error poc/not-local:");
    expect(outside.stderr).toContain("is not in the POC workspace");

    await cp(production, join(folder.path, "poc", "production"), { recursive: true, preserveTimestamps: true });
    await writeFile(pocFile, JSON.stringify({ ...poc, ...names, kits: "production" }));
    const elsewhere = await folder.run("chaos");
    expect(elsewhere.stderr).toContain("error poc/not-local:");
    expect(elsewhere.stderr).toContain("server.example.org");
    expect(elsewhere.exitCode).toBe(1);
  });

  it("refuses a federation that runs, and a kind of fault that it does not know", async () => {
    await folder.data("poc", "prepare", "-n", "1", "--force", "--port", String(await freePort()));
    await folder.data("poc", "start", "-p", "server", "--no-wait");
    const running = await folder.run("chaos");
    expect(running.stderr).toContain("error poc/running: Still running: server.");
    await folder.data("poc", "stop");
    const unknown = await folder.run("chaos", "--kinds", "earthquake");
    expect(unknown.exitCode).toBe(4);
    expect(unknown.stderr).toContain("black-hole");
  });
});
