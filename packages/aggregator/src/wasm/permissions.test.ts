import { execFile } from "node:child_process";
import { mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { encodeSafetensors } from "../safetensors/encode-safetensors.js";

const program = `
import { fedAvg, WasmEngine } from ${JSON.stringify(new URL("../../dist/index.js", import.meta.url).href)};
const engine = await WasmEngine.create({ nowMs: () => performance.now() }, { threads: 1 });
const session = await engine.open({ model: "a.safetensors", strategy: fedAvg(), paramsType: "FULL" });
await session.add({ contributor: "a", weight: 1, source: "a.safetensors", paramsType: "FULL" });
const { sha256 } = await session.finish({ outPath: "out.safetensors", isDurable: false });
await engine.close();
process.stdout.write(process.permission.has("worker") + " " + sha256.length);
`;

/** Each thread also tries to read what its process may not, and says how that went. */
const threadsProgram = `
import workers from "node:worker_threads";
import { syncBuiltinESMExports } from "node:module";
const Worker = workers.Worker;
const outcomes = [];
workers.Worker = class extends Worker {
  constructor(text, options) {
    super("let said = 'read'; try { require('node:fs').readFileSync('/etc/passwd') } catch (error) { said = error.code }"
      + "require('node:worker_threads').parentPort.postMessage([said]);" + text, options);
    outcomes.push(new Promise((resolve) => this.once("message", ([said]) => resolve(said))));
  }
};
syncBuiltinESMExports();
const { fedAvg, WasmEngine } = await import(${JSON.stringify(new URL("../../dist/index.js", import.meta.url).href)});
const engine = await WasmEngine.create({ nowMs: () => performance.now() }, { threads: 2 });
const session = await engine.open({ model: "a.safetensors", strategy: fedAvg(), paramsType: "FULL" });
await session.add({ contributor: "a", weight: 1, source: "a.safetensors", paramsType: "FULL" });
await session.finish({ outPath: "out.safetensors", isDurable: false });
// An engine does not wait for a thread that it has no work for; a test does, for what that thread says.
const staying = setInterval(() => {}, 1000);
process.stdout.write((await Promise.all(outcomes)).join(" "));
clearInterval(staying);
await engine.close();
`;

it("threads may no more than their process", async () => {
  expect(await runUnderPermissions(threadsProgram, ["--allow-worker"])).toBe("ERR_ACCESS_DENIED ERR_ACCESS_DENIED");
});

it("one thread needs no permission but that of its files", async () => {
  expect(await runUnderPermissions(program, [])).toBe("false 64");
});

async function runUnderPermissions(text: string, flags: readonly string[]): Promise<string> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), "flare-permission-")));
  try {
    await writeFile(join(folder, "a.safetensors"), encodeSafetensors([["w", { dtype: "F32", shape: [2], data: Float32Array.of(1, 2) }]]));
    await writeFile(join(folder, "program.mjs"), text);
    const readable = fileURLToPath(new URL("../../../..", import.meta.url));
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ["--permission", `--allow-fs-read=${readable}`, `--allow-fs-read=${folder}`, `--allow-fs-write=${folder}`, ...flags, "program.mjs"],
      { cwd: folder },
    );
    return stdout;
  } finally {
    await rm(folder, { recursive: true });
  }
}
