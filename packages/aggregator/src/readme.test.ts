import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { decodeSafetensors, encodeSafetensors } from "./index.js";

const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");
const examples = [...readme.matchAll(/```js\n([\s\S]*?)```/g)].map(([, text = ""]) => text);

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "flare-readme-"));
  for (const [name, value] of Object.entries({ a: 1, b: 2, c: 3 })) {
    const data = new Float32Array(4096).fill(value);
    await writeFile(join(folder, `${name}.safetensors`), encodeSafetensors([["w", { dtype: "F32", shape: [4096], data }]]));
  }
});
afterAll(() => rm(folder, { recursive: true }));

async function run(example: string): Promise<string> {
  const built = JSON.stringify(new URL("../dist/index.js", import.meta.url).href);
  await writeFile(join(folder, "example.mjs"), example.replace('"@flare-ts/aggregator"', built));
  const { stdout } = await promisify(execFile)(process.execPath, ["example.mjs"], { cwd: folder });
  return stdout;
}

async function valueIn(file: string): Promise<unknown> {
  return decodeSafetensors(await readFile(join(folder, file))).get("w")?.data[0];
}

describe("the README's examples, as they stand, on the built package", () => {
  it("begin with the weighted mean of three files in at most ten lines", async () => {
    const [first = ""] = examples;
    expect(first.trim().split("\n").length).toBeLessThanOrEqual(10);
    expect(await run(first)).toBe("");
    expect(await valueIn("global.safetensors")).toBe(Math.fround((120 * 1 + 80 * 2 + 200 * 3) / 400));
  });

  it.each(examples.map((example, i) => [i + 1, example] as const))("print what they say: %i", async (_number, example) => {
    const said = [...example.matchAll(/console\.log\(.*\); \/\/ (.*)/g)].map(([, text = ""]) => `${text}\n`);
    expect(await run(example)).toBe(said.join(""));
  });

  it("leave the models that the text promises", async () => {
    expect(await valueIn("checked.safetensors")).toBe(1);
    expect(await valueIn("trimmed.safetensors")).toBe(2);
    expect(await valueIn("capped.safetensors")).toBe(1.5);
    // The scale of a block of int8 may be larger than it has to be by 2^-11 of itself.
    expect(Math.abs(Number(await valueIn("from-compressed.safetensors")) - 1.4)).toBeLessThan(1.4 * 2 ** -11);
    expect(await valueIn("streamed.safetensors")).toBe(Math.fround((120 * 1 + 80 * 2) / 200));
    expect((await readdir(join(folder, "state-2"))).length).toBe(2);
  });
});
