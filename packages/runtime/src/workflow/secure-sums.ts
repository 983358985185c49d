import { mkdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { type AggregationEngine, announceScale, checkMasked, type Mask, type Strategy, unmaskSums } from "@flare-ts/aggregator";
import type { ContentHash, SecureAggregation } from "@flare-ts/contracts";
import { FlareError } from "@flare-ts/contracts/errors";
import type { ServerJobPeer } from "../job-process/rpc-sides.js";
import { pairSign } from "../secure-aggregation/mask-seeds.js";
import {
  encodeDocument,
  type RevealedSeeds,
  readConfirmation,
  readRevealed,
  readSignedKey,
  type SignedKey,
} from "../secure-aggregation/secure-documents.js";
import { stepTask } from "../secure-aggregation/step-tasks.js";
import { writeError } from "../store/file-model-store-disk.js";
import type { ObjectRef } from "../store/model-store.js";
import { importBytes } from "./import-bytes.js";
import { isFaultOfUpdate, type OpenSession } from "./round-aggregation.js";
import type { StepAnswers, WorkflowEffect } from "./workflow-machine.js";

type EffectOf<Type extends WorkflowEffect["type"]> = Extract<WorkflowEffect, { type: Type }>;

export interface SecureSumsComponents {
  readonly engine: AggregationEngine;
  readonly strategy: Strategy;
  readonly parent: Pick<ServerJobPeer, "call">;
}

export interface SecureSumsInit {
  readonly jobId: string;
  readonly secure: SecureAggregation;
  /** Where documents and sums are written. */
  readonly folder: string;
}

/** Why an answer of a site cannot be used, and of which step it was. */
export interface UnusableAnswer {
  readonly site: string;
  readonly problem: FlareError;
}

/** Something that was made of the answers of sites, or those of them that cannot be used. */
export type MadeOf<Made> = { readonly made: Made; readonly unusable: readonly UnusableAnswer[] };

/**
 * What the server makes of masked updates: the documents that sites sign, and the sum without its masks. All of it follows from what sites
 * have answered, so a process that was killed leaves nothing that another would make otherwise.
 */
export class SecureSums {
  readonly #parts: SecureSumsComponents;
  readonly #init: SecureSumsInit;
  readonly #stop = new AbortController();
  readonly #checks = new Map<string, Promise<FlareError | undefined>>();

  constructor(components: SecureSumsComponents, init: SecureSumsInit) {
    this.#parts = components;
    this.#init = init;
  }

  /**
   * Looks at a masked update.
   *
   * @returns why it cannot be used, or `undefined`
   * @throws what is not the update's fault
   */
  check(effect: EffectOf<"fold">): Promise<FlareError | undefined> {
    const key = keyOf(effect, effect.contribution.site);
    const known = this.#checks.get(key);
    if (known !== undefined) return known;
    const checking = this.#check(effect);
    // Whoever waits for it sees the failure.
    checking.catch(() => {});
    this.#checks.set(key, checking);
    return checking;
  }

  /** The keys of sites as one document. */
  async roster(keys: StepAnswers): Promise<MadeOf<ObjectRef>> {
    const { made, unusable } = await this.#readAll(keys, (bytes, site) => {
      const key = readSignedKey(bytes);
      if (key.site !== site)
        throw new FlareError("secure/answer-invalid", `${site} handed in the key of another site.`, { facts: { site } });
      return key;
    });
    const sorted: SignedKey[] = [...made.values()].sort((a, b) => (a.site < b.site ? -1 : 1));
    return { made: await this.#put("roster.json", encodeDocument({ format_version: 1, keys: sorted })), unusable };
  }

  /** The document of a step; `undefined` when one of the updates that it would name proved to be unusable, and is judged anew. */
  async document(effect: EffectOf<"open-step">): Promise<MadeOf<ObjectRef> | undefined> {
    const { of } = effect;
    switch (of.kind) {
      case "nothing":
        return { made: await this.#put("step.json", Buffer.from("{}")), unusable: [] };
      case "roster":
        return this.roster(of.keys);
      case "statement":
        return this.#statement(effect, of);
      case "proof":
      default:
        return this.#proof(of);
    }
  }

  /**
   * A session that holds the sum of masked updates, without the masks.
   *
   * @returns or whose answer cannot be used
   * @throws FlareError `aggregate/unmasking-failed` and others of the aggregator
   */
  async open(effect: EffectOf<"unmask">): Promise<OpenSession | readonly UnusableAnswer[]> {
    const { engine, strategy } = this.#parts;
    const { secure, folder } = this.#init;
    const { signal } = this.#stop;
    const { made: revealed, unusable } = await this.#readAll(effect.revealed, (bytes, site) =>
      this.#wholeRevealed(readRevealed(bytes), site, effect),
    );
    if (unusable.length > 0) return unusable;
    const model = await this.#path(effect.model.hash);
    const { maxWeight } = secure;
    const scale = await announceScale({ model, maxWeight, signal });
    const masked = await Promise.all(
      effect.contributions.map(async ({ site, update }) => ({ contributor: site, path: await this.#path(update.hash) })),
    );
    const masks = [...revealed].flatMap(([site, seeds]) => masksOf(site, seeds));
    await mkdir(folder, { recursive: true });
    const outPath = join(folder, `sums-${effect.round}.safetensors`);
    const paramsType = "DIFF";
    await unmaskSums({
      model,
      strategy,
      paramsType,
      scale,
      maxWeight,
      masked,
      masks,
      outPath,
      isDurable: false,
      isHashed: false,
      signal,
    }).catch((reason: unknown) => Promise.reject(writeError(reason, outPath)));
    const session = await engine.open({ model, strategy, paramsType, scale, signal });
    await session.addSums(outPath, signal);
    return { session, modelPath: model };
  }

  /** A sum is in a model. */
  async close({ session }: OpenSession, { round }: Pick<EffectOf<"unmask">, "round">): Promise<void> {
    await session.discard();
    await rm(join(this.#init.folder, `sums-${round}.safetensors`), { force: true });
    this.#checks.clear();
  }

  discard(): void {
    this.#stop.abort();
  }

  async #check({ model, contribution: { site, update, paramsType } }: EffectOf<"fold">): Promise<FlareError | undefined> {
    try {
      if (paramsType !== "DIFF")
        throw new FlareError("aggregate/masked-invalid", `${site} sent no difference.`, { facts: { contributor: site } });
      const { maxWeight } = this.#init.secure;
      const { signal } = this.#stop;
      const modelPath = await this.#path(model.hash);
      const scale = await announceScale({ model: modelPath, maxWeight, signal });
      await checkMasked({ model: modelPath, paramsType: "DIFF", scale, maxWeight, contributor: site, path: await this.#path(update.hash) });
      return undefined;
    } catch (reason) {
      const error = FlareError.from(reason);
      if (isFaultOfUpdate(error)) return error;
      throw error;
    }
  }

  /** All that a sum needs of a site: with less it would be a model of noise, which is found, but only then. */
  #wholeRevealed(seeds: RevealedSeeds, site: string, { masked, contributions }: EffectOf<"unmask">): RevealedSeeds {
    const outside = masked.filter((other) => !contributions.some((one) => one.site === other)).sort();
    const given = Object.keys(seeds.pairs).sort();
    if (given.join(" ") === outside.join(" ")) return seeds;
    throw new FlareError(
      "secure/answer-invalid",
      `${site} revealed the seeds with ${given.join(", ")}, not those with ${outside.join(", ")}.`,
      {
        facts: { site, given, wanted: outside },
      },
    );
  }

  async #statement(
    { round, attempt }: EffectOf<"open-step">,
    { baseTask, model, roster, contributions }: Extract<EffectOf<"open-step">["of"], { kind: "statement" }>,
  ): Promise<MadeOf<ObjectRef> | undefined> {
    const checked = [baseTask, stepTask(baseTask, "mask", attempt)].flatMap((task) =>
      contributions.flatMap(({ site }) => this.#checks.get(keyOf({ round, task }, site)) ?? []),
    );
    const problems = await Promise.all(checked);
    if (problems.some((problem) => problem !== undefined)) return undefined;
    const contributors = contributions
      .map(({ site, update }) => ({ site, update: update.hash }))
      .sort((a, b) => (a.site < b.site ? -1 : 1));
    const statement = encodeDocument({
      format_version: 1,
      job_id: this.#init.jobId,
      round,
      task: baseTask,
      attempt,
      model: model.hash,
      roster: roster.hash,
      contributors,
    });
    return { made: await this.#put("statement.json", statement), unusable: [] };
  }

  async #proof({
    statement,
    confirmations,
  }: Extract<EffectOf<"open-step">["of"], { kind: "proof" }>): Promise<MadeOf<ObjectRef> | undefined> {
    const { made, unusable } = await this.#readAll(confirmations, readConfirmation);
    const text = await readFile(await this.#path(statement.hash), "utf8");
    const signed = [...made].map(([site, confirmation]) => ({ site, ...confirmation }));
    return { made: await this.#put("proof.json", encodeDocument({ format_version: 1, statement: text, confirmations: signed })), unusable };
  }

  async #readAll<Read>(answers: StepAnswers, read: (bytes: Uint8Array, site: string) => Read): Promise<MadeOf<ReadonlyMap<string, Read>>> {
    const made = new Map<string, Read>();
    const unusable: UnusableAnswer[] = [];
    for (const [site, { hash, size }] of answers) {
      try {
        if (size > mostAnswerBytes)
          throw new FlareError("secure/answer-invalid", `${site} answered with ${size} bytes, which no answer has.`, {
            facts: { site, size },
          });
        const bytes = await readFile(await this.#path(hash));
        made.set(site, read(bytes, site));
      } catch (reason) {
        const problem = FlareError.from(reason);
        if (problem.code !== "secure/answer-invalid") throw problem;
        unusable.push({ site, problem });
      }
    }
    return { made, unusable };
  }

  async #path(hash: ContentHash): Promise<string> {
    return (await this.#parts.parent.call("objectPath", { hash })).path;
  }

  #put(name: string, bytes: Uint8Array): Promise<ObjectRef> {
    return importBytes(this.#parts.parent, join(this.#init.folder, name), bytes);
  }
}

/** An answer is read as a whole; one with the seeds of thousands of sites is smaller. */
const mostAnswerBytes = 1024 * 1024;

/** What is still in the sum of a site's update, as the site added it. */
function masksOf(site: string, { self, pairs }: RevealedSeeds): Mask[] {
  return [
    { seed: Buffer.from(self, "hex"), sign: 1 },
    ...Object.entries(pairs).map(([other, seed]): Mask => ({ seed: Buffer.from(seed, "hex"), sign: pairSign(site, other) })),
  ];
}

function keyOf({ round, task }: { readonly round: number; readonly task: string }, site: string): string {
  return `${round} ${task} ${site}`;
}
