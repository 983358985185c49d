import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { decodeSafetensors, encodeSafetensors } from "./index.js";

it("the README's example runs as it stands on the built package, in at most ten lines", async () => {
  const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");
  const example = /```js\n([\s\S]*?)```/.exec(readme)?.[1] ?? "";
  expect(example.trim().split("\n").length).toBeLessThanOrEqual(10);
  const folder = await mkdtemp(join(tmpdir(), "flare-readme-"));
  try {
    for (const [name, value] of Object.entries({ a: 1, b: 2, c: 3 })) {
      await writeFile(
        join(folder, `${name}.safetensors`),
        encodeSafetensors([["w", { dtype: "F32", shape: [1], data: Float32Array.of(value) }]]),
      );
    }
    const built = JSON.stringify(new URL("../dist/index.js", import.meta.url).href);
    await writeFile(join(folder, "example.mjs"), example.replace('"@flare-ts/aggregator"', built));
    await promisify(execFile)(process.execPath, ["example.mjs"], { cwd: folder });
    const out = decodeSafetensors(await readFile(join(folder, "global.safetensors")));
    expect(out.get("w")?.data[0]).toBe(Math.fround((120 * 1 + 80 * 2 + 200 * 3) / 400));
  } finally {
    await rm(folder, { recursive: true });
  }
});
