import { createReadStream, createWriteStream } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import {
  FlareError,
  type Json,
  type PrivacyFilter,
  type PrivacyPolicy,
  type PrivacyScope,
  type SecureAggregation,
  type UpdateForm,
} from "@flare-ts/contracts";
import { isStatisticsFilter } from "@flare-ts/contracts/job";
import { holdsTensors, noTensors } from "../job/holds-tensors.js";
import type { Metrics, TaskKey } from "../job/job-event.js";
import { updateFilterOf } from "../job/update-filters.js";
import type { TrainerResult } from "../job-process/job-channel.js";
import { shapeUpdate } from "../job-process/shape-update.js";
import type { AuditLog } from "../logging/audit-log.js";
import { errorField, type Logger } from "../logging/logger.js";
import { findPsiFile, pointBytes, psiHeader } from "../psi/psi-file.js";
import { sizesOfPsi } from "../psi/site-psi.js";
import { holdsStatistics } from "../statistics/statistics-file.js";
import { writeCleansed } from "../statistics/write-cleansed.js";
import { diskError, writeError } from "../store/file-model-store-disk.js";
import { type PrivacySpent, withCost } from "../store/privacy-cost.js";
import type { SiteStore } from "../store/site-store.js";
import { accountant, costOf, type NoiseFilter, noiseOf } from "./privacy-account.js";

export interface PrivacyGateComponents {
  readonly store: Pick<SiteStore, "privacySpent" | "spendPrivacy">;
  readonly audit: AuditLog;
  readonly logger: Logger;
  /** Cryptographic random bytes, which the next call may write over. */
  readonly randomBytes: (count: number) => Uint8Array;
}

export interface PrivacyGateInit {
  readonly site: string;
  /** `undefined`: the site has none, and lets out what jobs make. */
  readonly policy: PrivacyPolicy | undefined;
}

export interface ReleaseInit {
  readonly key: TaskKey;
  readonly scope: PrivacyScope;
  /** The model that was trained on. */
  readonly base: string;
  /** Where what may leave is written; a name that ends with `.safetensors`, in a folder that job code cannot write to. */
  readonly outPath: string;
  /** Form in which it leaves. */
  readonly form: UpdateForm | undefined;
  readonly signal: AbortSignal;
}

/** What was done to a result before it leaves. */
interface WhatWasDone {
  readonly filters: readonly PrivacyFilter[];
  /** Names of tensors that stay here, or of features. */
  readonly leftOut: readonly string[];
  /** The ε that all updates of the scope come to; `undefined` where none was spent. */
  readonly epsilon: number | undefined;
}

/** Names of tensors that stayed here, in a line of the audit log. */
const shownTensors = 100;

/**
 * What of a job's results leaves this site, by the site's own policy. It works in the site's parent process, after the job's code and on
 * a copy that the job's code cannot reach.
 */
export class PrivacyGate {
  readonly #parts: PrivacyGateComponents;
  readonly #init: PrivacyGateInit;

  constructor(components: PrivacyGateComponents, init: PrivacyGateInit) {
    this.#parts = components;
    this.#init = init;
  }

  /**
   * The scope of a job; `undefined` where nothing of its results is held back.
   *
   * @param wanted - the one that the job names
   * @throws FlareError `privacy/scope-unknown`, `privacy/budget-spent` where the scope has nothing left for another update
   */
  async scopeOf(wanted: string | undefined): Promise<PrivacyScope | undefined> {
    const scope = this.#named(wanted);
    if (scope === undefined) return undefined;
    const noise = noiseOf(scope);
    if (noise?.epsilonBudget !== undefined) {
      // What a model of one value would cost: how many the job's has is known with its first update.
      const together = withCost(await this.#parts.store.privacySpent(scope.name), await costOf(noise, 1));
      const epsilon = (await accountant(noise))(together);
      if (epsilon > noise.epsilonBudget) throw this.#budgetSpent(scope, noise, epsilon);
    }
    return isOpen(scope) ? undefined : scope;
  }

  /**
   * Makes sure that a job adds updates without reading them, where its scope lets none out otherwise.
   *
   * @param wanted - the scope that the job names
   * @param secure - what the job says of that
   * @throws FlareError `privacy/aggregation-not-secure`, `privacy/scope-unknown`
   */
  checkSecure(wanted: string | undefined, secure: SecureAggregation | undefined): void {
    const scope = this.#named(wanted);
    const least = scope?.secureAggregation?.minSites;
    if (scope === undefined || least === undefined || (secure !== undefined && secure.minSites >= least)) return;
    const { site } = this.#init;
    const what = secure === undefined ? "The job does not ask for secure_aggregation" : `The min_sites of the job is ${secure.minSites}`;
    throw new FlareError(
      "privacy/aggregation-not-secure",
      `${what}, and the privacy scope '${scope.name}' of ${site} lets updates out only where those of ${least} sites or more are added without being read.`,
      { facts: { site, scope: scope.name, minSites: least } },
    );
  }

  #named(wanted: string | undefined): PrivacyScope | undefined {
    const { policy, site } = this.#init;
    const name = wanted ?? policy?.defaultScope;
    if (policy === undefined && name === undefined) return undefined;
    const scope = policy?.scopes.find((candidate) => candidate.name === name);
    if (scope === undefined) {
      const what = name === undefined ? "The job names no privacy scope, and" : `The job is for the privacy scope '${name}', and`;
      const why =
        policy === undefined ? "has no local/privacy.json" : name === undefined ? "has no default_scope" : "has none of that name";
      throw new FlareError("privacy/scope-unknown", `${what} ${site} ${why}.`, {
        facts: { site, ...(name === undefined ? {} : { scope: name }) },
      });
    }
    return scope;
  }

  /**
   * Makes of a result what leaves the site; after a full disk it may be begun again. What noise costs of the scope's privacy is written down
   * before this resolves, once for each task. One without tensors, such as the answer to an evaluation, costs nothing: what leaves of it are
   * its weight and the metrics that the scope lets out. Statistics leave through a scope that says how, and alone: without metrics, and of no
   * weight. So do lists and bits of an intersection. What a result is, is decided by the file, whatever the task is called.
   *
   * @throws FlareError `privacy/nothing-left`, `privacy/statistics-held-back`, `privacy/psi-held-back`, `privacy/budget-spent`, what is wrong with the result (`aggregate/…`), `file/…`
   */
  async release(result: TrainerResult, init: ReleaseInit): Promise<TrainerResult> {
    const { key, scope, outPath } = init;
    const made = [outPath];
    try {
      if (!holdsTensors(result.path)) return await this.#releaseMetrics(result, init);
      if (holdsStatistics(result.path)) return await this.#releaseStatistics(result, init);
      if (findPsiFile(result.path) !== undefined) return await this.#releasePsi(result, init);
      const { filtered, leftOut, values } = await this.#filter(result, init);
      const epsilon = await this.#spend(key, scope, values);
      const released = await this.#shape(filtered, init);
      made.push(released.path);
      this.#writeDown(init, { filters: scope.resultFilters, leftOut, epsilon });
      return released;
    } catch (reason) {
      await Promise.all(made.map((path) => rm(path, { force: true })));
      throw writeError(reason, outPath);
    }
  }

  /**
   * What leaves as it is, because the site has no policy or the scope has no filter: anything but a site's part in an intersection, which needs the
   * word of a policy that is there.
   *
   * @throws FlareError `privacy/psi-held-back`
   */
  checkUnfiltered({ path }: Pick<TrainerResult, "path">): void {
    if (this.#init.policy !== undefined && findPsiFile(path) !== undefined)
      throw this.#psiHeldBack("has no AllowPsi, so the site takes no part in it");
  }

  /** Those of a result's metrics, or of what a script tracks, that the scope lets out. */
  metricsThatLeave(scope: PrivacyScope | undefined, metrics: Metrics): Metrics {
    const allowed = scope?.resultFilters.find((filter) => filter.kind === "AllowMetrics");
    if (allowed === undefined) return metrics;
    return Object.fromEntries(Object.entries(metrics).filter(([name]) => allowed.metrics.includes(name)));
  }

  /** The file is our own: what the job has written into its own by now is no matter. */
  async #releaseMetrics({ weight, metrics }: TrainerResult, init: ReleaseInit): Promise<TrainerResult> {
    const { outPath, scope } = init;
    await writeFile(outPath, noTensors).catch((reason: unknown) => {
      throw diskError(reason, outPath);
    });
    const filters = scope.resultFilters.filter(({ kind }) => kind === "AllowMetrics" || kind === "FixedWeight");
    this.#writeDown(init, { filters, leftOut: [], epsilon: undefined });
    return this.#withAllowed({ path: outPath, paramsType: "FULL", weight, metrics }, scope);
  }

  /** A scope that filters and says nothing of statistics was not written with them in mind: nothing leaves. */
  async #releaseStatistics({ path }: TrainerResult, init: ReleaseInit): Promise<TrainerResult> {
    const { outPath, scope } = init;
    const filters = scope.resultFilters.filter(isStatisticsFilter);
    if (filters.length === 0) {
      const { site } = this.#init;
      throw new FlareError(
        "privacy/statistics-held-back",
        `The privacy scope '${scope.name}' of ${site} has filters, and none of statistics; so none leave.`,
        { facts: { site, scope: scope.name } },
      );
    }
    const heldBack = await writeCleansed(path, outPath, { filters, randomBytes: this.#parts.randomBytes });
    this.#writeDown(init, { filters, leftOut: heldBack, epsilon: undefined });
    return { path: outPath, paramsType: "FULL", weight: 1, metrics: {}, meta: {} };
  }

  /** What leaves is a list of points, or bits for one, under a header of our own; and how many there are, where the scope shows it. */
  async #releasePsi({ path, metrics }: TrainerResult, init: ReleaseInit): Promise<TrainerResult> {
    const { outPath, scope } = init;
    const allowed = scope.resultFilters.find((filter) => filter.kind === "AllowPsi");
    if (allowed === undefined) throw this.#psiHeldBack("has no AllowPsi, so the site takes no part in it", scope);
    const found = findPsiFile(path);
    if (found === undefined) throw new TypeError("the file of an intersection is none any more");
    const mostCount = found.kind === "points" ? allowed.maxItems : Math.ceil(allowed.maxItems / 8);
    if (found.count > mostCount) {
      const what = found.kind === "points" ? `${found.count} identifiers` : `bits for ${8 * found.count} identifiers`;
      throw this.#psiHeldBack(`lets ${allowed.maxItems} identifiers out, and these are ${what}`, scope);
    }
    const bytes = found.kind === "points" ? found.count * pointBytes : found.count;
    const data = bytes === 0 ? [] : createReadStream(path, { start: found.start, end: found.start + bytes - 1 });
    await writeFile(outPath, psiHeader(found))
      .then(() => pipeline(data, createWriteStream(outPath, { flags: "a" })))
      .catch((reason: unknown) => {
        throw diskError(reason, outPath);
      });
    if (findPsiFile(outPath)?.count !== found.count) throw new TypeError("the file of an intersection has changed as it was read");
    this.#writeDown(init, { filters: [allowed], leftOut: allowed.showSizes ? [] : Object.keys(metrics), epsilon: undefined });
    const sizes = Object.entries(metrics).filter(([name]) => sizesOfPsi.some((one) => one === name));
    return { path: outPath, paramsType: "FULL", weight: 1, metrics: allowed.showSizes ? Object.fromEntries(sizes) : {}, meta: {} };
  }

  #psiHeldBack(why: string, scope?: PrivacyScope): FlareError {
    const { site } = this.#init;
    const where = scope === undefined ? `The privacy scope of the job at ${site}` : `The privacy scope '${scope.name}' of ${site}`;
    return new FlareError("privacy/psi-held-back", `A job asks for a private set intersection. ${where} ${why}.`, {
      facts: { site, ...(scope === undefined ? {} : { scope: scope.name }) },
    });
  }

  async #filter(
    { path: source, paramsType: given, weight, metrics }: TrainerResult,
    { scope, base, outPath, signal }: ReleaseInit,
  ): Promise<{ readonly filtered: TrainerResult; readonly leftOut: readonly string[]; readonly values: number }> {
    // Loaded where a policy asks for it: a site's parent process is small without it.
    const { filterUpdate } = await import("@flare-ts/aggregator");
    const filters = scope.resultFilters.flatMap((filter) => updateFilterOf(filter, this.#parts.randomBytes) ?? []);
    const filterInit = { source, paramsType: given, base, outPath, filters, isDurable: false, signal };
    const { paramsType, leftOut, values } = await filterUpdate(filterInit);
    return { filtered: this.#withAllowed({ path: outPath, paramsType, weight, metrics }, scope), leftOut, values };
  }

  /** What leaves beside the tensors. */
  #withAllowed({ weight, metrics, ...tensors }: Omit<TrainerResult, "meta">, scope: PrivacyScope): TrainerResult {
    // Job code writes into meta what it likes; nothing at the server needs it.
    return { ...tensors, weight: fixedWeightOf(scope) ?? weight, metrics: this.metricsThatLeave(scope, metrics), meta: {} };
  }

  async #shape(filtered: TrainerResult, { base, form, signal }: ReleaseInit): Promise<TrainerResult> {
    if (form === undefined) return filtered;
    const { result, obstacle } = await shapeUpdate(filtered, { task: { modelPath: base }, form, signal });
    if (obstacle !== undefined) this.#parts.logger.warn("an update is sent as it is", { form, error: errorField(obstacle) });
    if (result.path !== filtered.path) await rm(filtered.path, { force: true });
    return result;
  }

  #writeDown({ key, scope }: ReleaseInit, { filters, leftOut, epsilon }: WhatWasDone): void {
    const facts: Record<string, Json> = { job: key.jobId, round: key.round, task: key.task, scope: scope.name };
    facts["filters"] = filters.map(({ kind }) => kind);
    if (epsilon !== undefined) facts["epsilon"] = epsilon;
    const { audit, logger } = this.#parts;
    audit.write({
      who: this.#init.site,
      action: "release_update",
      outcome: "allowed",
      facts: { ...facts, leftOut: leftOut.slice(0, shownTensors) },
    });
    logger.info("update filtered", { ...facts, leftOut: leftOut.length });
  }

  /** @returns the ε that all updates of the scope come to; `undefined` where there is no noise */
  async #spend({ jobId, round, task }: TaskKey, scope: PrivacyScope, values: number): Promise<number | undefined> {
    const noise = noiseOf(scope);
    if (noise === undefined) return undefined;
    const epsilonOf = await accountant(noise);
    const { epsilonBudget = Number.POSITIVE_INFINITY } = noise;
    let epsilon = 0;
    const allows = (together: PrivacySpent): boolean => {
      epsilon = epsilonOf(together);
      return epsilon <= epsilonBudget;
    };
    const cost = await costOf(noise, values);
    const isSpent = await this.#parts.store.spendPrivacy({ jobId, round, task }, { scope: scope.name, cost, allows });
    if (!isSpent) throw this.#budgetSpent(scope, noise, epsilon);
    return epsilon;
  }

  #budgetSpent({ name }: PrivacyScope, { delta, epsilonBudget = 0 }: NoiseFilter, epsilon: number): FlareError {
    const { site } = this.#init;
    return new FlareError(
      "privacy/budget-spent",
      `Another update of the scope '${name}' would bring ${site} to an epsilon of ${epsilon.toPrecision(4)} at delta ${delta}; its epsilon_budget is ${epsilonBudget}.`,
      { facts: { site, scope: name, epsilon, delta, budget: epsilonBudget } },
    );
  }
}

/** Whether a scope holds nothing back. */
function isOpen({ resultFilters }: PrivacyScope): boolean {
  return resultFilters.length === 0;
}

function fixedWeightOf({ resultFilters }: PrivacyScope): number | undefined {
  return resultFilters.find((filter) => filter.kind === "FixedWeight")?.weight;
}
