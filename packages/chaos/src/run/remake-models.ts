import { createHash } from "node:crypto";
import { copyFile, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { decodeSafetensors, differenceUpdate, ExactJsEngine, encodeSafetensors, type Strategy } from "@flare-ts/aggregator";
import type { JobEvent, JournalEntry } from "@flare-ts/runtime/admin";
import { trainedSteps, trainedValues } from "../job/trained-values.js";

export interface RemakeModelsInit {
  readonly journal: readonly JournalEntry[];
  /** File of the model that the job began with. */
  readonly initialModel: string;
  /** As the job has it; takes differences. */
  readonly strategy: Strategy;
  /** For models on the way; made, and removed. */
  readonly folder: string;
  readonly signal: AbortSignal;
}

/** What came of making a job's models anew. */
export interface RemadeModels {
  /** How many of each agree with the journal. */
  readonly updates: number;
  readonly models: number;
  /** SHA-256 of the newest model. */
  readonly last: string;
  /** What does not agree. Nothing is made any more of a model that differs. */
  readonly problems: readonly string[];
}

/**
 * Makes the models of an asynchronous job anew, from its first model and its journal alone: each update that the journal names as its
 * trainer makes it from the model that it was given, each model of the updates that are in it, by plain JavaScript with exact sums. The
 * journal has the hashes to compare with.
 */
export async function remakeModels(init: RemakeModelsInit): Promise<RemadeModels> {
  await mkdir(init.folder, { recursive: true, mode: 0o700 });
  try {
    const workshop = await Workshop.open(init);
    for (const entry of init.journal) {
      init.signal.throwIfAborted();
      if (!(await workshop.follow(entry))) break;
    }
    return workshop.report();
  } finally {
    await rm(init.folder, { recursive: true, force: true });
  }
}

type EventOf<Type extends JobEvent["type"]> = Extract<JobEvent, { type: Type }>;

interface MadeModel {
  readonly path: string;
  readonly hash: string;
}

class Workshop {
  readonly #init: RemakeModelsInit;
  readonly #engine = new ExactJsEngine({ nowMs: () => performance.now() });
  /** Models by the round that began with them, as long as an update is to come that was made from them. */
  readonly #bases = new Map<number, MadeModel>();
  /** Files of differences, by `keyOf`. */
  readonly #differences = new Map<string, string>();
  /** Number of the last entry that needs the model of a round. */
  readonly #lastUse: ReadonlyMap<number, number>;
  readonly #problems: string[] = [];
  #newest: MadeModel;
  #updates = 0;
  #models = 0;

  private constructor(init: RemakeModelsInit, first: MadeModel) {
    this.#init = init;
    this.#newest = first;
    this.#lastUse = new Map(
      init.journal.flatMap(({ seq, event }) =>
        event.type === "update-accepted" || event.type === "round-closed" ? [[event.round, seq] as const] : [],
      ),
    );
  }

  static async open(init: RemakeModelsInit): Promise<Workshop> {
    const path = join(init.folder, "model.safetensors");
    await copyFile(init.initialModel, path);
    return new Workshop(init, { path, hash: hashOf(await readFile(path)) });
  }

  report(): RemadeModels {
    return { updates: this.#updates, models: this.#models, last: this.#newest.hash, problems: this.#problems };
  }

  /** Goes on with an entry; `false` where what follows can mean nothing. */
  async follow({ seq, event }: JournalEntry): Promise<boolean> {
    if (event.type === "round-opened") this.#open(event);
    if (event.type === "update-accepted") await this.#train(event);
    if (event.type === "round-closed") await this.#close(event);
    if (event.type === "workflow-ended") this.#compare("the model that the workflow ended with", event.model.hash, this.#newest.hash);
    for (const [round, { path }] of this.#bases) {
      if (seq < (this.#lastUse.get(round) ?? seq)) continue;
      this.#bases.delete(round);
      if (path !== this.#newest.path) await rm(path, { force: true });
    }
    return this.#problems.length === 0;
  }

  #open({ round, model }: EventOf<"round-opened">): void {
    this.#bases.set(round, this.#newest);
    this.#compare(`the model of round ${round}`, model.hash, this.#newest.hash);
  }

  async #train(event: EventOf<"update-accepted">): Promise<void> {
    const { site, round, update, weight, paramsType } = event;
    const base = this.#bases.get(round);
    if (base === undefined) {
      this.#problems.push(`the model of round ${round}, of which ${site} made an update, was not the newest one before`);
      return;
    }
    const tensors = decodeSafetensors(await readFile(base.path), base.path);
    const bytes = encodeSafetensors(
      [...tensors].map(([name, tensor]) => [name, { ...tensor, data: trainedValues(tensor.data as Float32Array, site, round) }]),
    );
    if (this.#compare(`the update of ${site} in round ${round}`, update.hash, hashOf(bytes))) this.#updates += 1;
    if (weight !== trainedSteps(site) || paramsType !== "FULL") this.#problems.push(`${site} sent ${paramsType} of weight ${weight}`);
    const source = join(this.#init.folder, `update-${this.#updates}.safetensors`);
    const outPath = join(this.#init.folder, `difference-${this.#updates}.safetensors`);
    await writeFile(source, bytes);
    await differenceUpdate({ source, base: base.path, outPath, isDurable: false, signal: this.#init.signal });
    await rm(source);
    this.#differences.set(keyOf(event), outPath);
  }

  async #close({ round, updates = [], model }: EventOf<"round-closed">): Promise<void> {
    const base = this.#bases.get(round);
    const unknown = updates.filter((update) => !this.#differences.has(keyOf(update)));
    if (base === undefined || updates.length === 0 || unknown.length > 0) {
      this.#problems.push(
        `the model made in round ${round} is of updates that the journal does not have: ${unknown.map(keyOf).join(", ")}`,
      );
      return;
    }
    const { strategy, folder, signal } = this.#init;
    const session = await this.#engine.open({ model: base.path, strategy, paramsType: "DIFF", signal });
    for (const update of updates) {
      const source = this.#differences.get(keyOf(update)) ?? "";
      const weight = trainedSteps(update.site);
      await session.add({ contributor: keyOf(update), source, weight, paramsType: "DIFF", staleness: round - update.round }, signal);
    }
    const path = join(folder, `model-${round}.safetensors`);
    const { sha256: hash } = await session.finish({ outPath: path, base: base.path, isDurable: false, signal });
    for (const update of updates) {
      await rm(this.#differences.get(keyOf(update)) ?? "");
      this.#differences.delete(keyOf(update));
    }
    this.#newest = { path, hash };
    if (this.#compare(`the model made in round ${round}`, model.hash, hash)) this.#models += 1;
  }

  #compare(what: string, said: string, made: string): boolean {
    if (said !== made) this.#problems.push(`${what} is ${said.slice(0, shownDigits)}, not ${made.slice(0, shownDigits)}`);
    return said === made;
  }
}

const shownDigits = 12;

function keyOf({ site, round }: { readonly site: string; readonly round: number }): string {
  return `${site} in round ${round}`;
}

function hashOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
