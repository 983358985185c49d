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

it("one thread needs no permission but that of its files", async () => {
  const folder = await realpath(await mkdtemp(join(tmpdir(), "flare-permission-")));
  try {
    await writeFile(join(folder, "a.safetensors"), encodeSafetensors([["w", { dtype: "F32", shape: [2], data: Float32Array.of(1, 2) }]]));
    await writeFile(join(folder, "program.mjs"), program);
    const readable = fileURLToPath(new URL("../../../..", import.meta.url));
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ["--permission", `--allow-fs-read=${readable}`, `--allow-fs-read=${folder}`, `--allow-fs-write=${folder}`, "program.mjs"],
      { cwd: folder },
    );
    expect(stdout).toBe("false 64");
  } finally {
    await rm(folder, { recursive: true });
  }
});
