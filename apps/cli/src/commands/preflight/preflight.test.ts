import { createFederation, type Federation } from "@flare-ts/testing";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type FlareFolder, flareFolder } from "../../flare-process.test-support.js";

let federation: Federation;
let folder: FlareFolder;

beforeAll(async () => {
  federation = await createFederation({ sites: ["site-1"] });
});
afterAll(() => federation.dispose());
beforeEach(async () => {
  folder = await flareFolder({ HTTPS_PROXY: "", https_proxy: "", ALL_PROXY: "", all_proxy: "", grpc_proxy: "" });
});
afterEach(() => folder.remove());

interface Data {
  readonly checks: readonly { readonly name: string; readonly outcome: string; readonly found: string; readonly todo: string | null }[];
}

describe("flare preflight", () => {
  it("shows a table, what to do, and ends with 2 where the server does not run; by FLARE's name too", async () => {
    for (const command of ["preflight", "preflight-check"]) {
      const { exitCode, stdout, stderr } = await folder.run(command, "-p", federation.kitOf("site-1"));
      expect(exitCode).toBe(2);
      expect(stdout).toMatch(/^CHECK +RESULT +FOUND$/m);
      expect(stdout).toMatch(/^kit +ok +Kit of the site site-1/m);
      expect(stdout).toMatch(/^port +problem +localhost:\d+ takes no connection: .*ECONNREFUSED/m);
      expect(stdout).toMatch(/^What to do:\n {2}port: /m);
      expect(stderr).toMatch(/^error preflight\/no-connection: 1 of 12 checks found a problem: port\./);
    }
  });

  it("gives all checks to scripts, also when one fails", async () => {
    const { exitCode, stdout } = await folder.run("preflight", "-p", federation.kitOf("site-1"), "--format", "json");
    const envelope = JSON.parse(stdout) as { readonly error_code: string; readonly facts: Data };
    expect({ exitCode, code: envelope.error_code }).toEqual({ exitCode: 2, code: "preflight/no-connection" });
    expect(envelope.facts.checks).toContainEqual(expect.objectContaining({ name: "port", outcome: "problem", todo: expect.any(String) }));
    const lines = (await folder.run("preflight", "-p", federation.kitOf("site-1"), "--format", "jsonl")).stdout.trim().split("\n");
    expect(lines.map((line) => JSON.parse(line) as object).at(0)).toMatchObject({ event: "check", name: "kit" });
    expect(lines).toHaveLength(13);
  });

  it("ends with 1 where the kit itself is no good", async () => {
    const { exitCode, stdout, stderr } = await folder.run("preflight", "-p", "nowhere");
    expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: expect.stringContaining("error preflight/failed:") });
    expect(stdout).toMatch(/^kit +problem +.*nowhere is not a folder/m);
  });

  it("ends with 0 where all is well, and predicts what a model takes", async () => {
    await federation.start("server");
    const data = (await folder.data("preflight", "-p", federation.kitOf("site-1"), "--model-size", "1.5GB")) as Data;
    expect(data.checks.map(({ outcome }) => outcome)).toEqual(data.checks.map(() => "ok"));
    expect(data.checks.at(-1)).toMatchObject({ name: "bandwidth", found: expect.stringContaining("a model of 1.5 GB comes in") });
    await federation.stop("server");
  });

  it("stops at Ctrl-C", async () => {
    await federation.start("server");
    const running = folder.start("preflight", "-p", federation.kitOf("site-1"), "--format", "jsonl");
    await running.printed(/"name":"server"|"name":"clock"/);
    running.child.kill("SIGINT");
    expect((await running.finished).exitCode).toBe(130);
    await federation.stop("server");
  });
});
