import { join } from "node:path";
import { FlareError } from "@flare-ts/contracts/errors";
import { noTensors } from "../job/holds-tensors.js";
import type { ServerJobPeer } from "../job-process/rpc-sides.js";
import { compareBlinded } from "../psi/compare-blinded.js";
import { emptyPsiFile, readPsiFile, selectionFile } from "../psi/psi-file.js";
import { psiStepOf } from "../psi/psi-steps.js";
import type { ObjectRef } from "../store/model-store.js";
import { importBytes } from "./import-bytes.js";
import type { ModelDress } from "./model-dress.js";
import type { RoundSummary, SummarizedRound } from "./round-summary.js";
import { emptyModel } from "./statistics-rounds.js";
import type { Contribution, WorkflowEffect } from "./workflow-machine.js";

type Summarize = Extract<WorkflowEffect, { type: "summarize" }>;

export interface PsiRoundsInit {
  /** Where files are written before the parent takes them. */
  readonly folder: string;
  /** Number of the workflow's first round in the journal. */
  readonly firstRound: number;
  readonly totalRounds: number;
}

/**
 * What the server does in an intersection: it checks the form of what sites send, and compares their lists once all have blinded all of them. It sees
 * blinded points alone, and what it makes depends on them alone.
 */
export class PsiRounds implements ModelDress, RoundSummary {
  readonly #parent: Pick<ServerJobPeer, "call">;
  readonly #init: PsiRoundsInit;

  constructor(components: { readonly parent: Pick<ServerJobPeer, "call"> }, init: PsiRoundsInit) {
    this.#parent = components.parent;
    this.#init = init;
  }

  /** Whatever model the job has, sites need none. */
  forSites(): Promise<ObjectRef> {
    return this.#put("begin.safetensors", emptyPsiFile);
  }

  /** The job's model stays as it is; what stands for none is made here. */
  forKeeping(model: ObjectRef): Promise<ObjectRef> {
    return model.hash === emptyModel.hash ? this.#put("empty.safetensors", noTensors) : Promise.resolve(model);
  }

  discard(): void {}

  async summarize(effect: Summarize): Promise<SummarizedRound> {
    const { model, round, contributions } = effect;
    const { firstRound, totalRounds } = this.#init;
    const own = round - firstRound;
    const unusable: (readonly [string, FlareError])[] = [];
    for (const contribution of contributions) {
      const problem = await this.#problemOf(contribution, effect, own);
      if (problem !== undefined) unusable.push([contribution.site, problem]);
    }
    const isLast = own === totalRounds - 1;
    // Without all of them there is no intersection of all, so nobody is told any.
    if (unusable.length > 0 || isLast || contributions.length < totalRounds / 2) return { model, state: {}, unusable };
    if (own === totalRounds / 2 - 1) return { model, state: {}, models: await this.#compare(contributions), unusable };
    return { model, state: {}, models: Object.fromEntries(contributions.map(({ site, update }) => [site, update])), unusable };
  }

  async #compare(contributions: readonly Contribution[]): Promise<Readonly<Record<string, ObjectRef>>> {
    const paths = await Promise.all(contributions.map(({ update }) => this.#pathOf(update)));
    const selections = await compareBlinded(paths);
    const models: Record<string, ObjectRef> = {};
    for (const [at, { site }] of contributions.entries()) {
      models[site] = await this.#put("selection.safetensors", selectionFile(selections[at] ?? new Uint8Array()));
    }
    return models;
  }

  /** Each list has as many points as before, and each selection as many as its list. */
  async #problemOf({ site, update }: Contribution, { models = {} }: Summarize, own: number): Promise<FlareError | undefined> {
    const { kind } = psiStepOf(own, this.#init.totalRounds);
    try {
      const made = readPsiFile(await this.#pathOf(update), kind === "own" || kind === "blind" ? "points" : "selection");
      const given = models[site];
      if (kind === "own" && made.count === 0) return invalid("A list of no identifiers has nothing in common with others.");
      if ((kind === "blind" || kind === "trace") && given !== undefined) {
        const { count } = readPsiFile(await this.#pathOf(given), kind === "blind" ? "points" : "selection");
        if (made.count !== count) return invalid(`The answer has ${made.count} of what there are ${count}.`);
      }
      return undefined;
    } catch (reason) {
      const error = FlareError.from(reason);
      if (error.code !== "client-api/result-invalid") throw error;
      return error;
    }
  }

  async #pathOf({ hash }: ObjectRef): Promise<string> {
    return (await this.#parent.call("objectPath", { hash })).path;
  }

  #put(name: string, bytes: Uint8Array): Promise<ObjectRef> {
    return importBytes(this.#parent, join(this.#init.folder, name), bytes);
  }
}

function invalid(message: string): FlareError {
  return new FlareError("client-api/result-invalid", message);
}
