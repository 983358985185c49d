import { mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type AggregationEngine,
  type AggregationReport,
  type AggregationSession,
  encodeSafetensors,
  type FinishInit,
  fedOpt,
  parseSafetensorsHeader,
  type Strategy,
} from "@flare-ts/aggregator";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { onceEach } from "./once-each.js";
import { f32, fileOf } from "./sample-models.js";
import type { SessionComplianceInit } from "./session-compliance.js";

/** Holds an engine to what `ServerState` promises: a round can be taken again, and state of something else is refused. */
export function serverStateCompliance({ name, engine }: SessionComplianceInit): void {
  let folder = "";
  let basePath = "";
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "flare-state-"));
    basePath = join(folder, "base.safetensors");
    await writeFile(basePath, sample(0));
  });
  afterEach(() => rm(folder, { recursive: true }));

  const adam = (): Strategy => fedOpt({ optimizer: "adam", learningRate: 0.01 });
  const place = (file: string): string => join(folder, file);
  const begin = async (strategy = adam(), under: AggregationEngine = engine()): Promise<AggregationSession> => {
    const session = await under.open({ model: basePath, strategy, paramsType: "DIFF" });
    for (const seed of [1, 2, 3])
      await session.add({ contributor: `site-${seed}`, weight: seed, source: sample(seed), paramsType: "DIFF" });
    return session;
  };
  const finishOf = (from: string | undefined, to: string, more: Partial<FinishInit> = {}): FinishInit => ({
    outPath: place("out.safetensors"),
    base: basePath,
    isDurable: false,
    state: { from: from === undefined ? undefined : place(from), to: place(to) },
    ...more,
  });
  const round = async (from: string | undefined, to: string, strategy = adam()): Promise<AggregationReport> =>
    (await begin(strategy)).finish(finishOf(from, to));
  const stateOf = async (at: string): Promise<Readonly<Record<string, string>>> => {
    const files = (await readdir(place(at))).sort();
    return Object.fromEntries(
      await Promise.all(files.map(async (file) => [file, (await readFile(join(place(at), file))).toString("hex")])),
    );
  };

  describe(`${name}: server state`, () => {
    it("goes into a folder that is made, one file for each thing kept, with the number of steps", async () => {
      await round(undefined, "deep/er/one");
      await round("deep/er/one", "two");
      expect(await readdir(place("two"))).toHaveLength((adam().step?.stateNames ?? []).length);
      for (const file of await readdir(place("two"))) {
        const { metadata, tensors } = parseSafetensorsHeader(await readFile(join(place("two"), file)));
        expect(metadata).toEqual({ "flare.strategy": "fed-adam", "flare.steps": "2" });
        expect(tensors.map(({ name: tensor, dtype }) => [tensor, dtype])).toEqual([
          ["w", "F32"],
          ["b", "F32"],
        ]);
      }
    });

    it("lets a round be taken again from where it began, with the same bytes", async () => {
      await round(undefined, "one");
      const before = await stateOf("one");
      const first = await round("one", "two");
      const again = await round("one", "two-again");
      expect(again.sha256).toBe(first.sha256);
      expect(await stateOf("two-again")).toEqual(await stateOf("two"));
      expect(await stateOf("one")).toEqual(before);
      // State changes what a round gives.
      expect((await round(undefined, "other")).sha256).not.toBe(first.sha256);
    });

    it("of a finish that is aborted leaves neither state nor model, wherever that is", async () => {
      await round(undefined, "one");
      const wanted = await round("one", "two");
      await rm(place("out.safetensors"));
      for (const abortAt of ["before", "on the way"]) {
        const stop = new AbortController();
        if (abortAt === "before") stop.abort();
        const session = await begin();
        const to = `never, ${abortAt}`;
        const finish = finishOf("one", to, { signal: stop.signal, onProgress: () => stop.abort() });
        await expect(session.finish(finish)).rejects.toMatchObject({ code: "internal/aborted" });
        expect(await readdir(place(to)).catch(() => [])).toEqual([]);
        expect((await readdir(folder)).filter((file) => file.startsWith("out"))).toEqual([]);
        expect((await session.finish(finishOf("one", to))).sha256).toBe(wanted.sha256);
        expect(await stateOf(to)).toEqual(await stateOf("two"));
        await rm(place("out.safetensors"));
      }
    });

    it("that was written without its model is written again with the same bytes", async () => {
      await round(undefined, "one");
      const wanted = await round("one", "two");
      // A folder in the model's place: it gets no name once all of its bytes, and the state, are there.
      await mkdir(place("taken.safetensors"));
      await writeFile(place("taken.safetensors/file"), "");
      const session = await begin();
      const stuck = finishOf("one", "half", { outPath: place("taken.safetensors") });
      await expect(session.finish(stuck)).rejects.toMatchObject({ code: "file/unwritable" });
      expect((await readdir(folder)).filter((file) => file.endsWith(".part"))).toEqual([]);
      expect((await session.finish(finishOf("one", "half"))).sha256).toBe(wanted.sha256);
      expect(await stateOf("half")).toEqual(await stateOf("two"));
    });

    it("is asked for where the strategy keeps some", async () => {
      const session = await begin();
      await expect(session.finish({ ...finishOf(undefined, ""), state: undefined })).rejects.toMatchObject({
        code: "aggregate/state-invalid",
      });
      await session.discard();
    });

    it("is not taken from the folder that it goes to, so that the round could be taken again", async () => {
      await round(undefined, "one");
      const before = await stateOf("one");
      const session = await begin();
      await expect(session.finish(finishOf("one", "one"))).rejects.toMatchObject({ code: "aggregate/state-invalid" });
      expect(await stateOf("one")).toEqual(before);
      await session.discard();
    });

    it.each<[string, string, () => Promise<unknown>]>([
      ["that is not there", "aggregate/state-invalid", () => rm(place("one"), { recursive: true })],
      ["of which a file is missing", "aggregate/state-invalid", () => rm(firstFile())],
      [
        "of another strategy",
        "aggregate/state-invalid",
        async () => {
          await rm(place("one"), { recursive: true });
          await round(undefined, "one", fedOpt({ optimizer: "yogi", learningRate: 0.01 }));
        },
      ],
      ["of another model", "aggregate/state-invalid", () => rewrite({ w: f32(values(1, 5)), b: f32([1]), more: f32([1]) })],
      ["of a model of another shape", "aggregate/state-invalid", () => rewrite({ w: f32([1]), b: f32([1, 2, 3]) })],
      ["of a smaller model", "aggregate/state-invalid", () => rewrite({ b: f32([1, 2, 3]) })],
      ["that does not say how many steps were taken", "aggregate/state-invalid", () => rewrite(model(1), { "flare.steps": "many" })],
      ["of which the files are of different rounds", "aggregate/state-invalid", () => rewrite(model(1), { "flare.steps": "2" })],
      ["that says nothing of itself", "aggregate/state-invalid", () => writeFile(firstFile(), sample(1))],
      ["that is cut off", "aggregate/safetensors-truncated", () => truncate(firstFile(), 1000)],
      ["that is empty", "aggregate/safetensors-truncated", () => truncate(firstFile(), 0)],
      ["that is no safetensors file", "aggregate/safetensors-header", () => writeFile(firstFile(), "PK\u0003\u0004 and more of it")],
    ])("%s is refused, and the session goes on", async (_what, code, spoil) => {
      await round(undefined, "one");
      await spoil();
      await rm(place("out.safetensors"));
      const session = await begin();
      await expect(session.finish(finishOf("one", "two"))).rejects.toMatchObject({ code });
      expect(await readdir(place("two")).catch(() => [])).toEqual([]);
      await expect(readFile(place("out.safetensors"))).rejects.toMatchObject({ code: "ENOENT" });
      expect((await session.finish(finishOf(undefined, "two"))).contributors).toHaveLength(3);
    });

    const firstFile = (): string => join(place("one"), `${adam().step?.stateNames[0] ?? ""}.safetensors`);
    const rewrite = (tensors: Parameters<typeof fileOf>[0], metadata: Readonly<Record<string, string>> = {}): Promise<void> =>
      writeFile(firstFile(), encodeSafetensors(Object.entries(tensors), { "flare.strategy": "fed-adam", "flare.steps": "1", ...metadata }));
  });
}

function values(seed: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => Math.sin(seed * 1.3 + i * 0.37));
}

function model(seed: number): Parameters<typeof fileOf>[0] {
  return { w: f32(values(seed, 20_011)), b: f32(values(seed + 0.5, 3)) };
}

const sampleFiles = onceEach<Uint8Array>();

function sample(seed: number): Uint8Array {
  return sampleFiles(String(seed), () => fileOf(model(seed)));
}
