import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { ContentHash } from "@flare-ts/contracts";
import { FlareError } from "@flare-ts/contracts/errors";
import type { StatisticsSettings } from "@flare-ts/contracts/job";
import { noTensors } from "../job/holds-tensors.js";
import type { StatisticsFile } from "../job/job-event.js";
import type { ServerJobPeer } from "../job-process/rpc-sides.js";
import type { SiteAnswers } from "../statistics/feature-groups.js";
import { hierarchicalResult } from "../statistics/hierarchical-result.js";
import { parseSiteStatistics, type SiteStatistics, siteStatisticsDocument } from "../statistics/site-statistics.js";
import { encodeStatistics, readStatistics } from "../statistics/statistics-file.js";
import { featuresOfAll, passesOf, requestDocument } from "../statistics/statistics-request.js";
import { statisticsResult } from "../statistics/statistics-result.js";
import type { ObjectRef } from "../store/model-store.js";
import { importBytes } from "./import-bytes.js";
import type { ModelDress } from "./model-dress.js";
import type { RoundSummary, SummarizedRound } from "./round-summary.js";
import type { Contribution, WorkflowEffect } from "./workflow-machine.js";

/** The model of a job that has none: a file without a tensor. */
export const emptyModel: ObjectRef = {
  hash: createHash("sha256").update(noTensors).digest("hex") as ContentHash,
  size: noTensors.byteLength,
};

/** Name under which a first pass keeps its answers for the second. */
const keptAnswers = "statistics";

/** The answers of a first pass, as they are kept at the server: by site. */
type KeptAnswers = Readonly<Record<string, unknown>>;

/**
 * The documents of statistics: what sites are asked, what they answer, and the result. What it makes depends on settings and answers alone,
 * so a process that was killed leaves nothing that another one would not make again.
 */
export class StatisticsRounds implements ModelDress, RoundSummary {
  readonly #parent: Pick<ServerJobPeer, "call">;
  readonly #settings: StatisticsSettings;
  readonly #folder: string;

  constructor(
    components: { readonly parent: Pick<ServerJobPeer, "call"> },
    init: {
      readonly settings: StatisticsSettings /** Where documents are written before the parent takes them. */;
      readonly folder: string;
    },
  ) {
    this.#parent = components.parent;
    this.#settings = init.settings;
    this.#folder = init.folder;
  }

  /** Whatever model the job has, sites are given what the first pass asks. */
  forSites(): Promise<ObjectRef> {
    return this.#put("request.safetensors", encodeStatistics(requestDocument(this.#settings)));
  }

  /** The job's model stays as it is; what stands for none is made here. */
  forKeeping(model: ObjectRef): Promise<ObjectRef> {
    return model.hash === emptyModel.hash ? this.#put("empty.safetensors", noTensors) : Promise.resolve(model);
  }

  discard(): void {}

  async summarize({ model, state, contributions }: Extract<WorkflowEffect, { type: "summarize" }>): Promise<SummarizedRound> {
    const kept = state?.[keptAnswers];
    const pass = kept === undefined ? 1 : 2;
    const { answers, unusable } = await this.#read(contributions, pass);
    if (unusable.length > 0) return { model, state: {}, unusable };
    const own = [...answers].map(([site, { features }]) => ({ site, features }));
    if (kept === undefined && passesOf(this.#settings) === 2) {
      const features = featuresOfAll(
        this.#settings,
        own.map((one) => one.features),
      );
      return {
        model: await this.#put("request.safetensors", encodeStatistics(requestDocument(this.#settings, features))),
        state: { [keptAnswers]: await this.#keep(answers) },
        unusable: [],
      };
    }
    if (kept === undefined) {
      const result = own.map(({ site, features: first }) => ({ site, first, second: undefined }));
      return { model, state: {}, statistics: await this.#result(result), unusable: [] };
    }
    const before = await this.#kept(kept);
    const both = own.map(({ site, features: second }) => ({ site, first: before.get(site)?.features ?? [], second }));
    return { model, state: {}, statistics: await this.#result(both, before), unusable: [] };
  }

  async #result(answers: readonly SiteAnswers[], before?: ReadonlyMap<string, SiteStatistics>): Promise<StatisticsFile> {
    const asked = before === undefined ? answers.map(({ first }) => first) : [...before.values()].map(({ features }) => features);
    const { hierarchy } = this.#settings;
    const result =
      hierarchy === undefined
        ? statisticsResult(this.#settings, answers, asked)
        : hierarchicalResult(this.#settings, hierarchy, answers, asked);
    const object = await this.#put("result.json", new TextEncoder().encode(`${JSON.stringify(result)}\n`));
    return { path: this.#settings.outputPath, ...object };
  }

  async #read(contributions: readonly Contribution[], pass: 1 | 2) {
    const answers = new Map<string, SiteStatistics>();
    const unusable: (readonly [string, FlareError])[] = [];
    for (const { site, update } of contributions) {
      const { path } = await this.#parent.call("objectPath", { hash: update.hash });
      try {
        const answer = parseSiteStatistics(readStatistics(path));
        if (answer.pass !== pass) throw new FlareError("client-api/result-invalid", `The answer is of pass ${answer.pass}, not ${pass}.`);
        answers.set(site, answer);
      } catch (reason) {
        const error = FlareError.from(reason);
        if (error.code !== "client-api/result-invalid") throw error;
        unusable.push([site, error]);
      }
    }
    return { answers, unusable };
  }

  /** What sites say stays at the server: of the next pass's sites each is told what all come to. */
  #keep(answers: ReadonlyMap<string, SiteStatistics>): Promise<ObjectRef> {
    const documents: KeptAnswers = Object.fromEntries([...answers].map(([site, one]) => [site, siteStatisticsDocument(one)]));
    return this.#put("answers.json", new TextEncoder().encode(JSON.stringify(documents)));
  }

  async #kept({ hash }: ObjectRef): Promise<ReadonlyMap<string, SiteStatistics>> {
    const { path } = await this.#parent.call("objectPath", { hash });
    const documents = JSON.parse(await readFile(path, "utf8")) as KeptAnswers;
    return new Map(Object.entries(documents).map(([site, one]) => [site, parseSiteStatistics(one)]));
  }

  #put(name: string, bytes: Uint8Array): Promise<ObjectRef> {
    return importBytes(this.#parent, join(this.#folder, name), bytes);
  }
}
