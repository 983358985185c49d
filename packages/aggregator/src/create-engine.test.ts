import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { createEngine } from "./create-engine.js";

const nowMs = (): number => performance.now();

/** Carries out `createEngine` of the built package in a process with the given options of Node. */
async function inProcess(flags: readonly string[], init: string): Promise<unknown> {
  const entry = JSON.stringify(new URL("../dist/index.js", import.meta.url).href);
  const program = `
    const { createEngine } = await import(${entry});
    const { engine, device, reasons } = await createEngine({ nowMs: () => 0 }, ${init}).catch(({ code }) => ({ engine: { name: code, close() {} } }));
    await engine.close();
    process.stdout.write(JSON.stringify({ name: engine.name, device, reasons }));`;
  const { stdout } = await promisify(execFile)(process.execPath, [...flags, "--input-type=module", "--eval", program]);
  return JSON.parse(stdout);
}

describe("the engine that is created", () => {
  it("is named with its mode and what it runs on", async () => {
    const { engine, device, reasons } = await createEngine({ nowMs }, { mode: "fast", threads: 2 });
    expect([engine.name, device, reasons]).toEqual(["cpu-wasm-fast", "cpu, WebAssembly with vector instructions, 2 threads", []]);
    await engine.close();
  });

  it("is plain JavaScript where that is asked for, in its one mode", async () => {
    expect(await createEngine({ nowMs }, { engine: "js" })).toMatchObject({ engine: { name: "cpu-js-exact" } });
    await expect(createEngine({ nowMs }, { engine: "js", mode: "fast" })).rejects.toMatchObject({ code: "aggregate/engine-unavailable" });
  });

  it("is plain JavaScript without WebAssembly, which is said, and refused where WebAssembly was asked for", async () => {
    expect(await inProcess(["--jitless"], "{}")).toMatchObject({
      name: "cpu-js-exact",
      reasons: ["This process has no WebAssembly: plain JavaScript is used, several times slower."],
    });
    for (const init of ['{ engine: "wasm" }', '{ mode: "fast" }']) {
      expect(await inProcess(["--jitless"], init)).toMatchObject({ name: "aggregate/engine-unavailable" });
    }
  });

  it("takes one thread where the permission model denies others, which is said, and refuses more", async () => {
    const flags = ["--permission", `--allow-fs-read=${fileURLToPath(new URL("../../..", import.meta.url))}`];
    expect(await inProcess(flags, "{}")).toMatchObject({
      name: "cpu-wasm-exact",
      device: "cpu, WebAssembly with vector instructions, 1 thread",
      reasons: ["Node's permission model denies threads: kernels run on the caller's thread."],
    });
    expect(await inProcess(flags, "{ threads: 2 }")).toMatchObject({ name: "aggregate/engine-unavailable" });
  });
});
