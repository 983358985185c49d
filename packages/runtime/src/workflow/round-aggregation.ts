import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import {
  type AggregationEngine,
  type AggregationSession,
  differenceUpdate,
  type FinishProgress,
  type ServerState,
  type Strategy,
} from "@flare-ts/aggregator";
import { FlareError, limits } from "@flare-ts/contracts/errors";
import type { ParamsType, StrategyState } from "../job/job-event.js";
import type { ServerJobPeer } from "../job-process/rpc-sides.js";
import { writeError } from "../store/file-model-store-disk.js";
import type { ObjectRef } from "../store/model-store.js";
import { type Contribution, nameOfUpdate, type UpdateBase, type WorkflowEffect } from "./workflow-machine.js";

/** What a round made. */
export interface RoundResult {
  readonly model: ObjectRef;
  /** Bytes of all updates. */
  readonly bytes: number;
  /** Name of the engine, and of the strategy. */
  readonly engine: string;
  readonly strategy: string;
  /** What the strategy keeps for the next round. */
  readonly state: StrategyState;
}

/** A message for each piece of a model would cost more than it saves. */
const reportedBytes = 4 * 1024 * 1024;

type EffectOf<Type extends WorkflowEffect["type"]> = Extract<WorkflowEffect, { type: Type }>;

/**
 * The aggregate of the round that is open: folds updates as they come, and makes the new model of exactly those that are
 * asked for.
 */
export class RoundAggregation {
  readonly #engine: AggregationEngine;
  readonly #strategy: Strategy;
  readonly #parent: Pick<ServerJobPeer, "call" | "tell">;
  readonly #folder: string;
  readonly #stop = new AbortController();
  #open: OpenAggregation | undefined;

  constructor(
    components: { readonly engine: AggregationEngine; readonly strategy: Strategy; readonly parent: Pick<ServerJobPeer, "call" | "tell"> },
    init: { /** Where new models are written before the parent takes them. */ readonly folder: string },
  ) {
    this.#engine = components.engine;
    this.#strategy = components.strategy;
    this.#parent = components.parent;
    this.#folder = init.folder;
  }

  /**
   * Starts to fold an update in.
   *
   * @returns why the update cannot be used, or `undefined` once it is folded.
   * @throws what is not the update's fault.
   */
  fold(effect: EffectOf<"fold">): Promise<FlareError | undefined> {
    const { contribution } = effect;
    const aggregation = this.#aggregationOf(effect);
    const name = nameOfUpdate(contribution);
    const known = aggregation.folds.get(name);
    if (known !== undefined) return known;
    const { base } = contribution;
    const folding =
      base === undefined ? this.#fold(aggregation, contribution) : this.#foldDifference(aggregation, { ...contribution, base });
    aggregation.folds.set(name, folding);
    return folding;
  }

  /**
   * Makes the new model of contributions that were folded, and gives it to the parent.
   *
   * @returns `undefined` when one of them could not be used: the round has to be judged anew.
   */
  async finish(effect: EffectOf<"aggregate">): Promise<RoundResult | undefined> {
    const aggregation = this.#open;
    if (aggregation?.round !== effect.round)
      throw new FlareError("internal/bug", `Round ${effect.round} was to be closed before it was folded.`);
    const folds = effect.contributions.flatMap((contribution) => aggregation.folds.get(nameOfUpdate(contribution)) ?? []);
    const problems = await Promise.all(folds);
    if (problems.some((problem) => problem !== undefined)) return undefined;
    const result = await this.make(await this.#whole(aggregation, effect), effect);
    this.#open = undefined;
    await this.#letGo(aggregation);
    return result;
  }

  /** Makes the new model of what a session holds, and gives it to the parent. */
  async make({ session, modelPath }: OpenSession, effect: Pick<EffectOf<"aggregate">, "round" | "model" | "state">): Promise<RoundResult> {
    await mkdir(this.#folder, { recursive: true });
    const outPath = join(this.#folder, `round-${effect.round}.safetensors`);
    const state = await this.#serverState(effect);
    // A small model is written sooner than the parent answers.
    const isLarge = effect.model.size > limits.inlineBytes;
    const part = `${outPath}.part`;
    if (isLarge) await this.#parent.call("beginFile", { path: part, bytes: effect.model.size });
    // The parent makes the files durable and hashes them when it takes them; the permission model denies fsync to this process.
    const report = await session
      .finish({
        outPath,
        base: modelPath,
        state,
        isDurable: false,
        isHashed: false,
        onProgress: isLarge ? this.#reporter(part) : undefined,
        signal: this.#stop.signal,
      })
      .catch((reason: unknown) => Promise.reject(writeError(reason, outPath)));
    const model = await this.#parent.call("importObject", { path: outPath });
    const kept = await this.#importState(state);
    const { bytesIn: bytes, engine, strategy } = report;
    return { model, bytes, engine, strategy, state: kept };
  }

  /** Tells the parent of what is written of a file, each few megabytes. The header before it is not counted: more stands there. */
  #reporter(path: string): (progress: FinishProgress) => void {
    let told = 0;
    return ({ doneBytes }) => {
      if (doneBytes - told < reportedBytes) return;
      told = doneBytes;
      this.#parent.tell("fileReached", { path, bytes: doneBytes });
    };
  }

  /** Stops all that runs and lets go of what is held. */
  async discard(): Promise<void> {
    this.#stop.abort();
    const open = this.#open;
    this.#open = undefined;
    if (open !== undefined) await this.#letGo(open);
  }

  /** Where the strategy goes on from, and where what it keeps is written. What is there of a round that was broken off is overwritten. */
  async #serverState({ round, state }: Pick<EffectOf<"aggregate">, "round" | "state">): Promise<ServerState | undefined> {
    if (this.#stateNames.length === 0) return undefined;
    const to = join(this.#folder, `state-${round}`);
    if (state === undefined) return { to };
    const paths = Object.entries(state).map(async ([name, { hash }]) => {
      const { path } = await this.#parent.call("objectPath", { hash });
      return [name, path] as const;
    });
    return { from: Object.fromEntries(await Promise.all(paths)), to };
  }

  /** Gives what the strategy keeps to the parent, which holds it for as long as the journal names it. */
  async #importState(written: ServerState | undefined): Promise<StrategyState> {
    if (written === undefined) return {};
    const kept: Record<string, ObjectRef> = {};
    for (const name of this.#stateNames) {
      kept[name] = await this.#parent.call("importObject", { path: join(written.to, `${name}.safetensors`) });
    }
    await rm(written.to, { recursive: true, force: true });
    return kept;
  }

  get #stateNames(): readonly string[] {
    return this.#strategy.step?.stateNames ?? [];
  }

  #aggregationOf(effect: EffectOf<"fold">): OpenAggregation {
    if (this.#open?.round === effect.round) return this.#open;
    this.#open = { round: effect.round, model: effect.model, sessions: new Map(), differences: [], folds: new Map() };
    return this.#open;
  }

  /** The session for whole models, or that for differences. */
  #sessionOf(aggregation: OpenAggregation, paramsType: ParamsType): Promise<OpenSession> {
    const known = aggregation.sessions.get(paramsType);
    if (known !== undefined) return known;
    const opening = this.#openSession(aggregation.model, paramsType);
    // Whoever folds or finishes sees the failure; without this, one that comes before that would end the process.
    opening.catch(() => {});
    aggregation.sessions.set(paramsType, opening);
    return opening;
  }

  /**
   * The session with all contributions in it. Where some sent whole models and others differences, as a site that makes its updates
   * smaller does, whole models become differences too: what comes out depends on who takes part, not on who came first.
   */
  async #whole(aggregation: OpenAggregation, { contributions }: EffectOf<"aggregate">): Promise<OpenSession> {
    if (contributions.some(({ base }) => base !== undefined)) return this.#sessionOf(aggregation, "DIFF");
    const [first = "FULL", ...others] = [...new Set(contributions.map(({ paramsType }) => paramsType))];
    if (others.length === 0) return this.#sessionOf(aggregation, first);
    const whole = await this.#sessionOf(aggregation, "DIFF");
    for (const { site, update, weight } of contributions.filter(({ paramsType }) => paramsType === "FULL")) {
      const { path: source } = await this.#parent.call("objectPath", { hash: update.hash });
      const outPath = await this.#difference(aggregation, { source, base: whole.modelPath });
      await whole.session.add({ contributor: site, source: outPath, weight, paramsType: "DIFF" }, this.#stop.signal);
    }
    return whole;
  }

  /** Writes what a whole model has changed of another one; it lies there until the aggregation is over. */
  async #difference(aggregation: OpenAggregation, files: { readonly source: string; readonly base: string }): Promise<string> {
    const outPath = join(this.#folder, `difference-${aggregation.differences.length}.safetensors`);
    aggregation.differences.push(outPath);
    await mkdir(this.#folder, { recursive: true });
    await differenceUpdate({ ...files, outPath, isDurable: false, signal: this.#stop.signal }).catch((reason: unknown) =>
      Promise.reject(writeError(reason, outPath)),
    );
    return outPath;
  }

  async #letGo({ sessions, differences }: OpenAggregation): Promise<void> {
    const discards = [...sessions.values()].map((opening) => opening.then(({ session }) => session.discard()).catch(() => {}));
    await Promise.all([...discards, ...differences.map((path) => rm(path, { force: true }))]);
  }

  async #openSession(model: ObjectRef, paramsType: ParamsType): Promise<OpenSession> {
    const { path } = await this.#parent.call("objectPath", { hash: model.hash });
    const session = await this.#engine.open({ model: path, strategy: this.#strategy, paramsType, check: "add", signal: this.#stop.signal });
    return { session, modelPath: path };
  }

  async #fold(aggregation: OpenAggregation, { site, update, paramsType, weight }: Contribution): Promise<FlareError | undefined> {
    const [{ session }, { path }] = await Promise.all([
      this.#sessionOf(aggregation, paramsType),
      this.#parent.call("objectPath", { hash: update.hash }),
    ]);
    return problemOf(session.add({ contributor: site, source: path, weight, paramsType }, this.#stop.signal));
  }

  /** An update to a model that need not be the round's: only what it changes of that one means something to another. */
  async #foldDifference(
    aggregation: OpenAggregation,
    contribution: Contribution & { readonly base: UpdateBase },
  ): Promise<FlareError | undefined> {
    const { update, base, paramsType, weight } = contribution;
    const [{ session }, { path }, { path: basePath }] = await Promise.all([
      this.#sessionOf(aggregation, "DIFF"),
      this.#parent.call("objectPath", { hash: update.hash }),
      this.#parent.call("objectPath", { hash: base.model.hash }),
    ]);
    const staleness = aggregation.round - base.round;
    const add = async (): Promise<void> => {
      const source = paramsType === "DIFF" ? path : await this.#difference(aggregation, { source: path, base: basePath });
      await session.add({ contributor: nameOfUpdate(contribution), source, weight, paramsType: "DIFF", staleness }, this.#stop.signal);
    };
    return problemOf(add());
  }
}

/** What of an update's own prevents that it is folded. @throws what is not the update's fault */
async function problemOf(folding: Promise<void>): Promise<FlareError | undefined> {
  try {
    await folding;
    return undefined;
  } catch (reason) {
    const error = FlareError.from(reason);
    if (isFaultOfUpdate(error)) return error;
    throw error;
  }
}

/** A session, and the file of the model that it puts updates onto. */
export interface OpenSession {
  readonly session: AggregationSession;
  readonly modelPath: string;
}

interface OpenAggregation {
  readonly round: number;
  readonly model: ObjectRef;
  readonly sessions: Map<ParamsType, Promise<OpenSession>>;
  /** Files of whole models that were made differences. */
  readonly differences: string[];
  readonly folds: Map<string, Promise<FlareError | undefined>>;
}

/** Whether an update is to blame, so that the round may go on without it. */
export function isFaultOfUpdate(error: FlareError): boolean {
  const isOwn = error.row.whose === "site" || error.row.whose === "user";
  return error.code.startsWith("aggregate/") && isOwn && error.code !== "aggregate/too-many-contributors";
}
