import { randomBytes } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decodeSafetensors, encodeSafetensors, type Tensor } from "@flare-ts/aggregator";
import type { PrivacyFilter, PrivacyPolicy, PrivacyScope, UpdateForm } from "@flare-ts/contracts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { noTensors } from "../job/holds-tensors.js";
import type { AuditEntry } from "../logging/audit-log.js";
import { createLogger } from "../logging/logger.js";
import { emptyPsiFile, pointBytes, psiHeader } from "../psi/psi-file.js";
import { encodeStatistics, readStatistics } from "../statistics/statistics-file.js";
import type { SiteStore } from "../store/site-store.js";
import { openSqliteSiteStore } from "../store/sqlite-site-store.js";
import { PrivacyGate } from "./privacy-gate.js";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "flare-gate-"));
});
afterAll(() => rm(folder, { recursive: true }));

const scope = (name: string, ...resultFilters: PrivacyFilter[]): PrivacyScope => ({ name, resultFilters });
const clip: PrivacyFilter = { kind: "ClipNorm", maxNorm: 1 };
const policy: PrivacyPolicy = { scopes: [scope("open"), scope("private", clip)], defaultScope: "private" };

const emptyStore = async () => openSqliteSiteStore({ path: join(await mkdtemp(join(folder, "store-")), "site.db") });

async function gateOf(given: PrivacyPolicy | undefined, audit: (entry: AuditEntry) => void = () => undefined) {
  return gateWith(await emptyStore(), given, audit);
}

function gateWith(store: SiteStore, given: PrivacyPolicy | undefined, audit: (entry: AuditEntry) => void = () => undefined) {
  const { logger } = createLogger({ folder, level: "error" });
  return new PrivacyGate({ store, audit: { write: audit }, logger, randomBytes }, { site: "site-1", policy: given });
}

describe("a scope whose updates may only be added", () => {
  const masked: PrivacyPolicy = {
    scopes: [{ ...scope("masked"), secureAggregation: { minSites: 3 } }, scope("open")],
    defaultScope: "masked",
  };
  const secure = (minSites: number) => ({ minSites, maxWeight: 1, stepTimeoutMs: 1 });

  it("lets in a job that adds those of as many sites, and other scopes any job", async () => {
    const gate = await gateOf(masked);
    expect(() => gate.checkSecure(undefined, secure(3))).not.toThrow();
    expect(() => gate.checkSecure("open", undefined)).not.toThrow();
  });

  it.each([
    ["adds those of fewer", secure(2)],
    ["reads them", undefined],
  ])("keeps a job away that %s", async (_, given) => {
    const gate = await gateOf(masked);
    expect(() => gate.checkSecure("masked", given)).toThrow(expect.objectContaining({ code: "privacy/aggregation-not-secure" }));
  });
});

describe("the scope of a job", () => {
  it.each<[string, PrivacyPolicy | undefined, string | undefined, string | undefined]>([
    ["the one that it names", policy, "private", "private"],
    ["the default one, where it names none", policy, undefined, "private"],
    ["none, where the scope holds nothing back", policy, "open", undefined],
    ["none, where the site has no policy", undefined, undefined, undefined],
  ])("is %s", async (_, given, wanted, name) => {
    expect((await (await gateOf(given)).scopeOf(wanted))?.name).toBe(name);
  });

  it.each<[string, PrivacyPolicy | undefined, string | undefined, RegExp]>([
    ["one that the site does not have", policy, "secret", /'secret', and site-1 has none of that name/],
    ["one at a site without a policy", undefined, "private", /'private', and site-1 has no local\/privacy\.json/],
    [
      "none at a site without a default",
      { ...policy, defaultScope: undefined },
      undefined,
      /names no privacy scope, and site-1 has no default_scope/,
    ],
  ])("keeps the job away when it is %s", async (_, given, wanted, message) => {
    await expect((await gateOf(given)).scopeOf(wanted)).rejects.toMatchObject({
      code: "privacy/scope-unknown",
      message: expect.stringMatching(message),
    });
  });
});

describe("a result at the gate", () => {
  const release = async (
    gate: PrivacyGate,
    rest: { readonly outPath: string; readonly scope?: PrivacyScope; readonly form?: UpdateForm },
  ) => {
    const w = { dtype: "F32", shape: [2], data: Float32Array.of(3, 4) } as const;
    const path = join(folder, "update.safetensors");
    await writeFile(path, encodeSafetensors([["w", w]]));
    const result = { path, paramsType: "DIFF", weight: 7, metrics: { loss: 1 }, meta: { note: "Jane Doe" } } as const;
    const key = { jobId: "j", round: 3, task: "train" };
    return gate.release(result, {
      key,
      scope: scope("private", clip),
      base: path,
      form: undefined,
      signal: new AbortController().signal,
      ...rest,
    });
  };

  it("is written down before it leaves, with what was done to it", async () => {
    const entries: AuditEntry[] = [];
    const outPath = join(folder, "out.safetensors");
    const released = await release(await gateOf(policy, (entry) => entries.push(entry)), { outPath });
    expect(released).toEqual({ path: outPath, paramsType: "DIFF", weight: 7, metrics: { loss: 1 }, meta: {} });
    const facts = { job: "j", round: 3, task: "train", scope: "private", filters: ["ClipNorm"], leftOut: [] };
    expect(entries).toEqual([{ who: "site-1", action: "release_update", outcome: "allowed", facts }]);
  });

  it("takes control variates of SCAFFOLD for what they are: they stay with their tensor, and count with the others", async () => {
    const pair = (values: readonly number[]) => ({ dtype: "F32", shape: [2], data: Float32Array.from(values) }) as const;
    const path = join(folder, "scaffold.safetensors");
    const sent = { w: pair([0, 3]), "head.w": pair([1, 1]), "scaffold_c_global.w": pair([4, 0]), "scaffold_c_global.head.w": pair([1, 1]) };
    await writeFile(path, encodeSafetensors(Object.entries(sent)));
    const outPath = join(folder, "scaffold-out.safetensors");
    const result = { path, paramsType: "DIFF", weight: 1, metrics: {}, meta: {} } as const;
    for (const names of [["head.w"], /^head\./]) {
      const exclude: PrivacyFilter = { kind: "ExcludeVars", names };
      const rest = { scope: scope("private", exclude, { kind: "ClipNorm", maxNorm: 0.5 }), base: path, form: undefined } as const;
      const key = { jobId: "j", round: 1, task: "train" };
      await (await gateOf(policy)).release(result, { ...rest, key, outPath, signal: new AbortController().signal });
      const left = decodeSafetensors(await readFile(outPath));
      expect([...left.keys()]).toEqual(["w", "scaffold_c_global.w"]);
      // Together they are 5 long.
      const values = [...left.values()].map(({ data }) => [...(data as Float32Array)].map((value) => value.toFixed(6)));
      expect(values).toEqual([
        ["0.000000", "0.300000"],
        ["0.400000", "0.000000"],
      ]);
    }
  });

  it("stays here when that cannot be written down, and nothing of it is left", async () => {
    const gate = await gateOf(policy, () => {
      throw new Error("no room for the audit log");
    });
    const outPath = join(folder, "unsaid.safetensors");
    for (const rest of [{}, { form: "bfloat16" } as const]) {
      await expect(release(gate, { outPath, ...rest })).rejects.toThrow("no room for the audit log");
      expect((await readdir(folder)).filter((name) => name.startsWith("unsaid"))).toEqual([]);
    }
  });

  it("stays here when its noise would cost more than is left", async () => {
    const noise: PrivacyFilter = { kind: "GaussianPrivacy", clipNorm: 1, noiseMultiplier: 1, delta: 1e-5, epsilonBudget: 5 };
    const noisy = scope("noisy", noise);
    const gate = await gateOf({ scopes: [noisy], defaultScope: undefined });
    const outPath = join(folder, "noisy.safetensors");
    await expect(release(gate, { outPath, scope: noisy })).rejects.toMatchObject({
      code: "privacy/budget-spent",
      facts: { scope: "noisy", budget: 5 },
    });
    expect((await readdir(folder)).filter((name) => name.startsWith("noisy"))).toEqual([]);
    await expect(gate.scopeOf("noisy")).rejects.toMatchObject({ code: "privacy/budget-spent" });
  });

  it("waits, as all that is written does, when the disk is full", async () => {
    const outPath = join(folder, "full.safetensors");
    // What is written to this device finds no room.
    await symlink("/dev/full", `${outPath}.0.part`);
    await expect(release(await gateOf(policy), { outPath })).rejects.toMatchObject({ code: "transfer/disk-full" });
    expect((await readdir(folder)).filter((name) => name.startsWith("full"))).toEqual([]);
  });
});

describe("the answer to an evaluation at the gate", () => {
  const noise: PrivacyFilter = { kind: "GaussianPrivacy", clipNorm: 1, noiseMultiplier: 1, delta: 1e-5, epsilonBudget: 5 };
  const allow: PrivacyFilter = { kind: "AllowMetrics", metrics: ["accuracy"] };
  const strict = scope("strict", { kind: "ExcludeVars", names: ["w"] }, noise, allow, { kind: "FixedWeight", weight: 1 });

  /** Lets out a result with such tensors, and says what left and what was written down. */
  async function release(
    task: string,
    tensors: Record<string, Tensor>,
    { given = strict, outPath = join(folder, "answer.safetensors") } = {},
  ) {
    const path = join(folder, "own.safetensors");
    await writeFile(path, encodeSafetensors(Object.entries(tensors), { patient: "Jane Doe" }));
    const base = join(folder, "model.safetensors");
    await writeFile(base, encodeSafetensors(Object.entries({ w: f32(1), v: f32(1) })));
    const entries: AuditEntry[] = [];
    const store = await emptyStore();
    const gate = gateWith(store, { scopes: [given], defaultScope: undefined }, (entry) => entries.push(entry));
    const result = {
      path,
      paramsType: "FULL",
      weight: 70,
      metrics: { accuracy: 0.5, "patients.age": 71 },
      meta: { note: "Jane Doe" },
    } as const;
    const key = { jobId: "j", round: 4, task };
    const { signal } = new AbortController();
    const released = await gate.release(result, { key, scope: given, base, outPath, form: "blockwise8", signal });
    return { released, entries, spent: await store.privacySpent(given.name), bytes: await readFile(released.path) };
  }
  const f32 = (...values: number[]): Tensor => ({ dtype: "F32", shape: [values.length], data: Float32Array.from(values) });

  it.each(["validate", "whatever a job calls it"])(
    "is its allowed metrics and its weight, costs no epsilon, and is written down: %s",
    async (task) => {
      const { released, entries, spent, bytes } = await release(task, {});
      expect(released).toEqual({
        path: join(folder, "answer.safetensors"),
        paramsType: "FULL",
        weight: 1,
        metrics: { accuracy: 0.5 },
        meta: {},
      });
      expect([...bytes]).toEqual([...noTensors]);
      expect(spent).toEqual({ rho: 0, epsilon: 0, squares: 0 });
      const facts = { job: "j", round: 4, task, scope: "strict", filters: ["AllowMetrics", "FixedWeight"], leftOut: [] };
      expect(entries).toEqual([{ who: "site-1", action: "release_update", outcome: "allowed", facts }]);
    },
  );

  it("has its metrics and its weight as they are where the scope is about tensors alone", async () => {
    const { released, entries } = await release("validate", {}, { given: scope("clipped", clip) });
    expect(released).toMatchObject({ weight: 70, metrics: { accuracy: 0.5, "patients.age": 71 }, meta: {} });
    expect(entries).toMatchObject([{ facts: { filters: [] } }]);
  });

  it("waits when the disk is full", async () => {
    const outPath = join(folder, "no-room.safetensors");
    await symlink("/dev/full", outPath);
    await expect(release("validate", {}, { outPath })).rejects.toMatchObject({ code: "transfer/disk-full" });
    expect((await readdir(folder)).filter((name) => name.startsWith("no-room"))).toEqual([]);
  });

  it.each(["validate", "submit_model"])("is an update like any other when it has tensors: %s", async (task) => {
    const noisy = scope("noisy", { ...noise, epsilonBudget: undefined }, allow);
    const { released, entries, spent } = await release(task, { w: f32(2), v: f32(2) }, { given: noisy });
    expect(released).toMatchObject({ paramsType: "DIFF", meta: { "flare.wire": { form: "blockwise8" } } });
    expect(spent).toEqual({ rho: 2, epsilon: 0, squares: 0 });
    expect(entries).toMatchObject([{ facts: { task, epsilon: expect.any(Number) } }]);
    await expect(release(task, { w: f32(2) }, { given: noisy })).rejects.toMatchObject({ code: "privacy/tensors-missing" });
  });
});

describe("an update at a gate with the sparse vector technique", () => {
  const sparse: PrivacyFilter = {
    kind: "SVTPrivacy",
    fraction: 0.5,
    epsilon: 1,
    noiseVar: 0.25,
    gamma: 1,
    tau: 0,
    replace: false,
    epsilonThreshold: undefined,
    epsilonQuery: undefined,
    epsilonRelease: undefined,
    delta: 1e-5,
    epsilonBudget: 6.5,
  };
  const given = scope("sparse", sparse);
  const sparsePolicy: PrivacyPolicy = { scopes: [given], defaultScope: undefined };
  const one = { dtype: "F32", shape: [8], data: new Float32Array(8).fill(1) } as const;

  async function release(store: SiteStore, round: number): Promise<Float32Array> {
    const path = join(folder, "sparse.safetensors");
    const outPath = join(folder, "sparse-out.safetensors");
    await writeFile(path, encodeSafetensors([["w", one]]));
    const gate = gateWith(store, sparsePolicy);
    const result = { path, paramsType: "DIFF", weight: 1, metrics: {}, meta: {} } as const;
    const key = { jobId: "j", round, task: "train" };
    const init = { key, scope: given, base: path, outPath, form: undefined, signal: new AbortController().signal };
    const released = await gate.release(result, init);
    return decodeSafetensors(await readFile(released.path)).get("w")?.data as Float32Array;
  }

  it("costs what its number of values comes to, once for each task however often it is begun, until the budget is spent", async () => {
    const store = await emptyStore();
    // Half of 8 values leave, for a quarter each.
    expect((await release(store, 0)).filter((value) => value !== 0)).toHaveLength(4);
    expect(await store.privacySpent("sparse")).toEqual({ rho: 0, epsilon: 2, squares: 4 });
    // A site that was killed before the update was kept makes another one, of other noise: the first has not left.
    await release(store, 0);
    expect(await store.privacySpent("sparse")).toEqual({ rho: 0, epsilon: 2, squares: 4 });
    await release(store, 1);
    await release(store, 2);
    await expect(release(store, 3)).rejects.toMatchObject({ code: "privacy/budget-spent", facts: { epsilon: 8, budget: 6.5 } });
    expect(await store.privacySpent("sparse")).toMatchObject({ epsilon: 6 });
    // A model of one value would cost 1.25, and no job of the scope has fewer.
    await expect(gateWith(store, sparsePolicy).scopeOf("sparse")).rejects.toMatchObject({ code: "privacy/budget-spent" });
  });
});

describe("statistics at the gate", () => {
  const least: PrivacyFilter = { kind: "MinCountCleanser", minCount: 10 };
  const feature = (name: string, count: number) => ({ dataset: "patients", feature: name, count, failure_count: 0, sum: 7 });

  async function release(given: PrivacyScope, document: unknown, task = "fed_stats") {
    const path = join(folder, "statistics.safetensors");
    await writeFile(path, encodeStatistics(document));
    const outPath = join(folder, "statistics-out.safetensors");
    const entries: AuditEntry[] = [];
    const gate = gateWith(await emptyStore(), { scopes: [given], defaultScope: undefined }, (entry) => entries.push(entry));
    const result = { path, paramsType: "DIFF", weight: 70, metrics: { "patients.age": 71 }, meta: { note: "Jane Doe" } } as const;
    const key = { jobId: "j", round: 0, task };
    const released = await gate.release(result, {
      key,
      scope: given,
      base: path,
      outPath,
      form: "float16",
      signal: new AbortController().signal,
    });
    return { released, entries, document: readStatistics(released.path) };
  }
  const answer = { version: 1, pass: 1, features: [feature("age", 100), feature("rare", 9)] };

  it.each(["fed_stats", "train"])("leave cleansed and alone, whatever the job calls its task: %s", async (task) => {
    const { released, entries, document } = await release(scope("counted", clip, least), answer, task);
    expect(released).toEqual({
      path: join(folder, "statistics-out.safetensors"),
      paramsType: "FULL",
      weight: 1,
      metrics: {},
      meta: {},
    });
    expect(document).toEqual({ ...answer, features: [feature("age", 100)] });
    const facts = { job: "j", round: 0, task, scope: "counted", filters: ["MinCountCleanser"], leftOut: ["patients/rare"] };
    expect(entries).toEqual([{ who: "site-1", action: "release_update", outcome: "allowed", facts }]);
  });

  it("do not leave through a scope that was written without them in mind", async () => {
    for (const filter of [clip, { kind: "AllowMetrics", metrics: [] } satisfies PrivacyFilter]) {
      await expect(release(scope("other", filter), answer)).rejects.toMatchObject({ code: "privacy/statistics-held-back" });
    }
    expect((await readdir(folder)).filter((name) => name.startsWith("statistics-out"))).toEqual([]);
  });

  it("do not leave when they are something else", async () => {
    for (const document of [{ patients: ["Jane Doe"] }, { ...answer, features: [{ ...feature("age", 100), sum: "Jane Doe" }] }]) {
      await expect(release(scope("counted", least), document)).rejects.toMatchObject({ code: "client-api/result-invalid" });
    }
    expect((await readdir(folder)).filter((name) => name.startsWith("statistics-out"))).toEqual([]);
  });
});

describe("a part in an intersection at the gate", () => {
  const allow = (maxItems: number, showSizes = false): PrivacyFilter => ({ kind: "AllowPsi", maxItems, showSizes });
  const points = (count: number): Uint8Array => Buffer.concat([psiHeader({ kind: "points", count }), randomBytes(count * pointBytes)]);
  const metrics = { psi_items: 3, psi_intersection: 1, "Jane Doe": 1 };

  async function release(given: PrivacyScope, bytes: Uint8Array) {
    const [path, outPath] = [join(folder, "psi.safetensors"), join(folder, "psi-out.safetensors")];
    await writeFile(path, bytes);
    const entries: AuditEntry[] = [];
    const gate = gateWith(await emptyStore(), { scopes: [given], defaultScope: undefined }, (entry) => entries.push(entry));
    const result = { path, paramsType: "FULL", weight: 70, metrics, meta: { note: "Jane Doe" } } as const;
    const key = { jobId: "j", round: 0, task: "PSI" };
    const signal = new AbortController().signal;
    const released = await gate.release(result, { key, scope: given, base: path, outPath, form: "float16", signal });
    return { released, entries, bytes: await readFile(outPath) };
  }

  it("leaves as it is, alone, and with the sizes that the scope shows", async () => {
    const bytes = points(5);
    const quiet = await release(scope("linkage", clip, allow(5)), bytes);
    expect(quiet.bytes.equals(bytes)).toBe(true);
    expect(quiet.released).toMatchObject({ weight: 1, metrics: {}, meta: {} });
    expect(quiet.entries[0]?.facts).toMatchObject({ scope: "linkage", filters: ["AllowPsi"] });
    const shown = await release(scope("linkage", allow(5, true)), bytes);
    expect(shown.released.metrics).toEqual({ psi_items: 3, psi_intersection: 1 });
    const selection = Buffer.concat([psiHeader({ kind: "selection", count: 1 }), Uint8Array.of(3)]);
    expect((await release(scope("linkage", allow(5)), selection)).bytes.equals(selection)).toBe(true);
    expect((await release(scope("linkage", allow(5)), emptyPsiFile)).bytes.equals(Buffer.from(emptyPsiFile))).toBe(true);
  });

  it("leaves nothing but its tensor, whatever the header has besides", async () => {
    const header = `{"__metadata__":{"note":"Jane Doe"},"flare.psi":{"dtype":"U8","shape":[1,32],"data_offsets":[0,32]}}`;
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(header.length));
    const { bytes } = await release(scope("linkage", allow(5)), Buffer.concat([length, Buffer.from(header), Buffer.alloc(32)]));
    expect(bytes.toString("latin1")).not.toContain("Jane Doe");
  });

  it("does not leave through a scope without a word for it, nor with more identifiers than that says", async () => {
    for (const [given, bytes] of [
      [scope("other", clip), points(1)],
      [scope("linkage", allow(4)), points(5)],
      [scope("linkage", allow(8)), Buffer.concat([psiHeader({ kind: "selection", count: 2 }), Buffer.alloc(2)])],
    ] as const) {
      await expect(release(given, bytes)).rejects.toMatchObject({ code: "privacy/psi-held-back" });
    }
    expect((await readdir(folder)).filter((name) => name.startsWith("psi-out"))).toEqual([]);
  });

  it("does not leave unfiltered where there is a policy, and does where there is none", async () => {
    const path = join(folder, "unfiltered.safetensors");
    await writeFile(path, points(1));
    const open = await gateOf(undefined);
    expect(() => open.checkUnfiltered({ path })).not.toThrow();
    const strict = await gateOf(policy);
    expect(() => strict.checkUnfiltered({ path })).toThrow(/no AllowPsi/);
    await writeFile(path, noTensors);
    expect(() => strict.checkUnfiltered({ path })).not.toThrow();
  });
});
