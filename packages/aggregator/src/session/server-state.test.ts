import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ServerState } from "../aggregation-engine.js";
import { ExactJsEngine } from "../js/exact-js-engine.js";
import { encodeSafetensors } from "../safetensors/encode-safetensors.js";
import { fedOpt } from "../strategies/fed-opt.js";

let folder = "";

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "flare-state-"));
  for (const [name, values] of [["base", [1, 2]] as const, ["update", [3, 5]] as const]) {
    await writeFile(join(folder, name), encodeSafetensors([["w", { dtype: "F32", shape: [2], data: Float32Array.from(values) }]]));
  }
});

afterEach(() => rm(folder, { recursive: true }));

describe("the state of a server step", () => {
  it("is the same from its folder and from files of any name", async () => {
    await round({ to: join(folder, "state-0") });
    const fromFolder = await round({ from: join(folder, "state-0"), to: join(folder, "state-1") });
    const moved = { momentum: join(folder, "one"), variance: join(folder, "another") };
    for (const [name, path] of Object.entries(moved)) await rename(join(folder, "state-0", `${name}.safetensors`), path);
    expect(await round({ from: moved, to: join(folder, "state-2") })).toBe(fromFolder);
  });

  it("is refused when a file of it is not named, instead of being begun anew", async () => {
    await round({ to: join(folder, "state-0") });
    const from = { momentum: join(folder, "state-0", "momentum.safetensors") };
    await expect(round({ from, to: join(folder, "state-1") })).rejects.toMatchObject({
      code: "aggregate/state-invalid",
      message: "fed-adam has no file of its variance from the round before.",
    });
  });
});

/** Hash of the model that a round of fed-adam makes. */
async function round(state: ServerState): Promise<string> {
  const engine = new ExactJsEngine({ nowMs: () => 0 });
  const base = join(folder, "base");
  const strategy = fedOpt({ optimizer: "adam", learningRate: 0.1 });
  const session = await engine.open({ model: base, strategy, paramsType: "FULL" });
  try {
    await session.add({ contributor: "a", source: join(folder, "update"), weight: 1, paramsType: "FULL" });
    return (await session.finish({ outPath: join(folder, "out"), base, state })).sha256;
  } finally {
    await session.discard();
  }
}
