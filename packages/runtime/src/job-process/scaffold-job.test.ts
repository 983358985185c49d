import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type CompressionForm, compressUpdate, decodeSafetensors, encodeSafetensors } from "@flare-ts/aggregator";
import { afterEach, describe, expect, it } from "vitest";
import type { ObjectRef } from "../store/model-store.js";
import type { HostedTask, MemoryJobHost, SiteAnswer } from "./memory-job-host.test-support.js";
import { decisionsOf, runHosted } from "./run-hosted.test-support.js";
import { answerOf, finalHash, type SmallJobInit, smallJob } from "./small-job.test-support.js";

const folders: string[] = [];

afterEach(async () => {
  await Promise.all(folders.splice(0).map((folder) => rm(folder, { recursive: true })));
});

const [rounds, steps, rate] = [3, 2, 0.25] as const;
const names = ["site-1", "site-2", "site-3"];

/** Of half the curvature times the squared distance from the optimum, which is each site's own. */
const gradientAt = (site: string, value: number): number => Number(site.slice(-1)) * 0.5 * (value - Number(site.slice(-1)));

/** Algorithm 1 of SCAFFOLD with option II, slow and in float64, for one element. */
class Reference {
  model: number;
  control = 0;
  readonly #globalRate: number;
  readonly #weightOf: (site: string) => number;
  readonly #own = new Map(names.map((name) => [name, 0]));

  constructor(model: number, globalRate: number, weightOf: (site: string) => number) {
    this.model = model;
    this.#globalRate = globalRate;
    this.#weightOf = weightOf;
  }

  round(sites: readonly string[]): void {
    const changes = sites.map((site) => {
      const own = this.#own.get(site) ?? Number.NaN;
      let y = this.model;
      for (let step = 0; step < steps; step++) y -= rate * (gradientAt(site, y) - own + this.control);
      const next = own - this.control + (this.model - y) / (steps * rate);
      this.#own.set(site, next);
      return { weight: this.#weightOf(site), model: y - this.model, control: next - own };
    });
    const total = changes.reduce((sum, { weight }) => sum + weight, 0);
    this.model += (this.#globalRate * changes.reduce((sum, { weight, model }) => sum + weight * model, 0)) / total;
    this.control += changes.reduce((sum, { control }) => sum + control, 0) / names.length;
  }
}

/** Sites that train as SCAFFOLD has it, one after the other, and keep their control variates by the round that made them. */
function scaffoldSites(paramsType: "FULL" | "DIFF") {
  const kept = new Map<string, readonly number[]>();
  return async (task: HostedTask, host: MemoryJobHost): Promise<SiteAnswer> => {
    const { site, round } = task;
    const [x, c] = [valuesOf(task.model, "w"), valuesOf(task.model, "scaffold_c_global.w")];
    const own = kept.get(site) ?? x.map(() => 0);
    const y = x.map((value, i) => {
      let trained = value;
      for (let step = 0; step < steps; step++) trained -= rate * (gradientAt(site, trained) - at(own, i) + at(c, i));
      return trained;
    });
    const next = own.map((value, i) => value - at(c, i) + (at(x, i) - at(y, i)) / (steps * rate));
    kept.set(site, next);
    const [models, controls] = [y.map((value, i) => value - at(x, i)), next.map((value, i) => value - at(own, i))];
    const bytes =
      paramsType === "DIFF"
        ? fileOf(models, controls)
        : fileOf(
            y,
            controls.map((value, i) => value + at(c, i)),
          );
    const opened = host.eventsOf("round-opened").find((event) => event.round === round);
    const before = opened?.sites.slice(0, opened.sites.indexOf(site)) ?? [];
    // One after the other: the order of answers is part of what is compared.
    await expect.poll(() => answersOf(host, round), { interval: 1 }).toEqual(expect.arrayContaining(before));
    return { bytes, paramsType, weight: Number(site.slice(-1)), metrics: { loss: Math.abs(at(x, 0)) } };
  };
}

describe("a job with the workflow Scaffold", () => {
  it.each([
    ["whole models, as FLARE weighs them", "FULL", {}, (site: string) => Number(site.slice(-1))],
    ["differences", "DIFF", { strategy_args: { weighting: "uniform", globalLearningRate: 0.5 } }, () => 1],
  ] as const)("makes the model of the reference out of %s, of two sites a round", async (_what, paramsType, args, weightOf) => {
    const host = await hostOf({ args: { num_rounds: rounds, num_clients: 2, min_clients: 2, ...args }, train: scaffoldSites(paramsType) });
    expect(await runHosted(host)).toEqual({ exitStatus: 0 });
    const globalRate = paramsType === "DIFF" ? 0.5 : 1;
    const references = [1, 2, 3].map((value) => new Reference(value, globalRate, weightOf));
    const opened = host.eventsOf("round-opened");
    expect(opened).toHaveLength(rounds);
    for (const [i, { sites, model }] of opened.entries()) {
      const file = await host.read(model);
      expectNear(
        valuesOf(file, "w"),
        references.map((reference) => reference.model),
        i,
      );
      expectNear(
        valuesOf(file, "scaffold_c_global.w"),
        references.map((reference) => reference.control),
        i,
      );
      expect(sites).toHaveLength(2);
      for (const reference of references) reference.round(sites);
    }
    const result = await host.read(resultOf(host));
    expect([...decodeSafetensors(result).keys()]).toEqual(["w"]);
    expectNear(
      valuesOf(result, "w"),
      references.map(({ model }) => model),
      rounds,
    );
  });

  it.each(["float16", "bfloat16", "int8"] as const)(
    "takes answers that were made smaller, both weights and control variates: %s",
    async (form) => {
      const train = scaffoldSites("DIFF");
      const host = await hostOf({
        args: { num_rounds: rounds },
        train: async (task, running) => {
          const answer = await train(task, running);
          return answer === "silence" || "error" in answer
            ? answer
            : { ...answer, bytes: await smaller(running.folder, task, answer.bytes, form) };
        },
      });
      expect(await runHosted(host)).toEqual({ exitStatus: 0 });
      const references = [1, 2, 3].map((value) => new Reference(value, 1, (site) => Number(site.slice(-1))));
      for (let round = 0; round < rounds; round++) for (const reference of references) reference.round(names);
      const result = valuesOf(await host.read(resultOf(host)), "w");
      // All changes are below 8, of which bfloat16 and int8 lose 2^-8 at the most.
      for (const [i, { model }] of references.entries()) expect(Math.abs(at(result, i) - model)).toBeLessThan(rounds * 8 * 2 ** -8);
      expect(result).not.toEqual(references.map(({ model }) => Math.fround(model)));
    },
  );

  it("keeps the best model without control variates, and hands the last one on without", async () => {
    const host = await hostOf({
      args: { num_rounds: 2, key_metric: "loss" },
      more: [{ id: "more", path: "FedAvg", args: { num_rounds: 1 } }],
      train: (task, running) => (task.round < 2 ? scaffolding(task, running) : Promise.resolve(answerOf(task))),
    });
    const scaffolding = scaffoldSites("FULL");
    expect(await runHosted(host)).toEqual({ exitStatus: 0 });
    const opened = host.eventsOf("round-opened");
    const [first] = host.eventsOf("best-model");
    const [ended] = host.eventsOf("workflow-ended");
    expect(opened.map(({ workflow }) => workflow)).toEqual(["controller", "controller", "more"]);
    expect(await tensorsOf(host, opened[1]?.model)).toEqual(["w", "scaffold_c_global.w"]);
    expect(await tensorsOf(host, first?.model)).toEqual(["w"]);
    expect(opened[2]?.model).toEqual(ended?.model);
    expect(await tensorsOf(host, ended?.model)).toEqual(["w"]);
    expect(valuesOf(await host.read(first?.model ?? resultOf(host)), "w")).toEqual([1, 2, 3]);
  });

  it("gives the same bytes when its process is killed at any entry of the journal", async () => {
    const init = (): Omit<SmallJobInit, "workflow"> => ({
      args: { num_rounds: 2, key_metric: "loss" },
      more: [{ id: "again", path: "Scaffold", args: { num_rounds: 1 } }],
      train: scaffoldSites("FULL"),
    });
    const undisturbed = await hostOf(init());
    await runHosted(undisturbed);
    expect(finalHash(undisturbed)).not.toBe("");
    for (let seq = 1; seq <= undisturbed.entries.length; seq++) {
      for (const when of ["before", "after"] as const) {
        const host = await hostOf(init());
        expect(await runHosted(host, { seq, when }), `killed ${when} ${seq}`).toEqual({ exitStatus: 0 });
        expect(finalHash(host), `killed ${when} ${seq}`).toBe(finalHash(undisturbed));
        expect(decisionsOf(host.entries), `killed ${when} ${seq}`).toEqual(decisionsOf(undisturbed.entries));
      }
    }
  });
});

async function hostOf(init: Omit<SmallJobInit, "workflow">): Promise<MemoryJobHost> {
  const host = await smallJob({ workflow: "nvflare.app_common.workflows.scaffold.Scaffold", ...init });
  folders.push(host.folder);
  return host;
}

function fileOf(w: readonly number[], control: readonly number[]): Uint8Array {
  const tensor = (values: readonly number[]) => ({ dtype: "F32", shape: [values.length], data: Float32Array.from(values) }) as const;
  return encodeSafetensors([
    ["w", tensor(w)],
    ["scaffold_c_global.w", tensor(control)],
  ]);
}

async function smaller(folder: string, { site, round }: HostedTask, bytes: Uint8Array, form: CompressionForm): Promise<Uint8Array> {
  const source = join(folder, `${site}-${round}.safetensors`);
  await writeFile(source, bytes);
  await compressUpdate({ source, outPath: `${source}.small`, form, isDurable: false });
  return readFile(`${source}.small`);
}

function valuesOf(file: Uint8Array, name: string): readonly number[] {
  return [...((decodeSafetensors(file).get(name)?.data ?? []) as Float32Array)];
}

async function tensorsOf(host: MemoryJobHost, model: ObjectRef | undefined): Promise<readonly string[]> {
  return model === undefined ? [] : [...decodeSafetensors(await host.read(model)).keys()];
}

function answersOf(host: MemoryJobHost, round: number): readonly string[] {
  return host.eventsOf("update-accepted").flatMap((event) => (event.round === round ? [event.site] : []));
}

/** Each round rounds a few numbers, all of them below 8, to float32: by 2^-22 each at most. */
function expectNear(values: readonly number[], wanted: readonly number[], roundings: number): void {
  expect(values).toHaveLength(wanted.length);
  for (const [i, value] of values.entries()) expect(Math.abs(value - at(wanted, i))).toBeLessThanOrEqual(roundings * 2 ** -20);
}

function at(values: readonly number[], index: number): number {
  return values[index] ?? Number.NaN;
}

function resultOf({ end }: MemoryJobHost): ObjectRef {
  if (end !== undefined && "model" in end) return end.model;
  throw new Error("the job has no result", { cause: end });
}
