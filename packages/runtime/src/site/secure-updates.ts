import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { ContentHash, SecureAggregation } from "@flare-ts/contracts";
import { FlareError, type Json } from "@flare-ts/contracts/errors";
import type { ProjectTrust } from "@flare-ts/provision/kit";
import type { TaskKey } from "../job/job-event.js";
import type { TrainerResult } from "../job-process/job-channel.js";
import type { Logger } from "../logging/logger.js";
import { type MaskedTask, MaskSecret, pairSign, secretBytes } from "../secure-aggregation/mask-seeds.js";
import { encodeDocument, readProof, readRoster, readStatement, type SumStatement } from "../secure-aggregation/secure-documents.js";
import { type SignedFor, signKey, signStatement, verifyKey, verifyStatement } from "../secure-aggregation/site-signatures.js";
import { stepOf } from "../secure-aggregation/step-tasks.js";
import type { SecureTask } from "../secure-aggregation/task-meta.js";
import type { ProjectKeys } from "../session/project-keys.js";
import { removeAtOnce } from "../store/file-model-store-disk.js";
import type { ModelStore, ObjectRef } from "../store/model-store.js";
import type { ObjectRetention } from "../store/object-retention.js";
import type { SecureRound, SiteResult, SiteStore } from "../store/site-store.js";

export interface SecureUpdatesComponents {
  readonly store: Pick<SiteStore, "maskSecret" | "keepClear" | "secureRound" | "advanceRound">;
  readonly models: Pick<ModelStore, "importFile" | "find">;
  readonly retention: Pick<ObjectRetention, "hold" | "keepOnly">;
  /** The site's certificate and key, those in force. */
  readonly identity: { readonly current: Pick<ProjectKeys, "certificatePem" | "privateKey"> };
  readonly logger: Logger;
  readonly now: () => number;
  /** Cryptographic random bytes. */
  readonly randomBytes: (count: number) => Uint8Array;
  /** Path of a document of the server's, by its hash, which was checked. It is kept for the job. */
  readonly fetch: (object: ObjectRef, signal: AbortSignal) => Promise<string>;
  /** A file where the job's processes cannot write. */
  readonly pathForAnswer: () => string;
}

export interface SecureUpdatesInit {
  readonly jobId: string;
  readonly site: string;
  readonly trust: ProjectTrust;
  /** As the signed job says. */
  readonly secure: SecureAggregation;
  /** Sites of which a sum is, at least: by the job, and by the site's own policy. */
  readonly minSites: number;
}

/** What a site hands in for a task. */
export type SecureAnswer = Pick<SiteResult, "update" | "bytes" | "paramsType" | "weight" | "metrics" | "meta">;

/**
 * Masks the updates of one job at this site, and takes part in the steps by which masks leave their sum. It works in the site's parent
 * process: neither the job's code nor its processes see a key or a mask. It trusts the server with nothing: what would let an update be read
 * by itself is refused, whoever asks for it.
 */
export class SecureUpdates {
  readonly #parts: SecureUpdatesComponents;
  readonly #init: SecureUpdatesInit;
  readonly #logger: Logger;

  constructor(components: SecureUpdatesComponents, init: SecureUpdatesInit) {
    this.#parts = components;
    this.#init = init;
    this.#logger = components.logger;
  }

  /**
   * Takes over what a site would hand in without masks. The file is moved away.
   *
   * @param modelPath - the model that was trained on
   * @throws what is wrong with the update (`aggregate/…`)
   */
  async keep(result: TrainerResult, key: TaskKey, model: ObjectRef & { readonly path: string }, signal: AbortSignal): Promise<SecureRound> {
    const { store, models } = this.#parts;
    const { round, task } = key;
    await this.#holdOnly([model.hash]);
    const path = await this.#asDifference(result, model.path, signal);
    const { hash, size } = await models.importFile(path, { move: true });
    const clear = { hash, size };
    await this.#parts.retention.hold(secureHolder(this.#init.jobId), [hash]);
    // A model that came inside its task is not in the store yet.
    if ((await models.find(model.hash)) === undefined) await models.importFile(model.path);
    const base = { hash: model.hash, size: model.size };
    const kept = await store.keepClear({
      jobId: this.#init.jobId,
      round,
      task,
      clear,
      weight: result.weight,
      metrics: result.metrics,
      base,
    });
    if (kept === undefined) throw ended(this.#init.jobId);
    return kept;
  }

  /** The update of a round that a process before this one took over. */
  async kept(round: number): Promise<SecureRound | undefined> {
    return this.#parts.store.secureRound(this.#init.jobId, round);
  }

  /**
   * Masks the update of a round.
   *
   * @param roster - the keys of the sites whose updates may be in the sum
   * @throws FlareError `secure/key-untrusted`, `secure/refused`, what is wrong with the update (`aggregate/…`)
   */
  async mask(round: SecureRound, attempt: number, roster: ObjectRef, signal: AbortSignal): Promise<SecureAnswer> {
    const { models } = this.#parts;
    const { secure } = this.#init;
    const { secret, others } = await this.#keysIn(roster, signal);
    const { announceScale, maskUpdate } = await import("@flare-ts/aggregator");
    const { maxWeight } = secure;
    const model = await this.#pathOf(round.base);
    const scale = await announceScale({ model, maxWeight, signal });
    const outPath = this.#parts.pathForAnswer();
    const task = this.#maskedTask(round, attempt);
    const { site } = this.#init;
    const pairs = others.map((other) => ({ seed: secret.pairSeed(task, site, other), sign: pairSign(site, other.site) }));
    await maskUpdate({
      model,
      source: await this.#pathOf(round.clear),
      contributor: site,
      weight: round.weight,
      paramsType: "DIFF",
      scale,
      maxWeight,
      masks: [{ seed: secret.selfSeed(task), sign: 1 }, ...pairs],
      outPath,
      isDurable: false,
      isHashed: false,
      signal,
    });
    const { hash, size } = await models.importFile(outPath, { move: true });
    await this.#advance(
      round,
      { to: "masked", attempt, roster: roster.hash, masked: hash },
      "it masks the update of a round in another way",
    );
    this.#logger.info("update masked", { round: round.round, attempt, sites: others.length + 1 });
    // The weight is masked as well.
    return { update: { hash, size }, paramsType: "DIFF", weight: 1, metrics: round.metrics, meta: {} };
  }

  /**
   * Answers a step.
   *
   * @param document - what the server sent with it
   * @throws FlareError `secure/refused` for what must not be answered, `secure/key-untrusted`
   */
  async answer({ step, attempt }: SecureTask, key: TaskKey, document: ObjectRef, signal: AbortSignal): Promise<SecureAnswer> {
    const base = stepOf(key.task);
    if (base?.step !== step) throw this.#refused(`a task named ${key.task} asks for the step ${step}`);
    if (step === "keys") return this.#handInKey();
    const round = await this.kept(key.round);
    if (round === undefined || round.task !== base.task) throw this.#refused(`of round ${key.round} no update has left this site`);
    if (step === "mask") return this.mask(round, attempt, document, signal);
    const text = Buffer.from(await this.#read(document, signal)).toString("utf8");
    return step === "confirm" ? this.#confirm(round, attempt, text, signal) : this.#reveal(round, attempt, text, signal);
  }

  async #handInKey(): Promise<SecureAnswer> {
    const secret = await this.#secret();
    this.#logger.info("key for masks handed in", {});
    return documentAnswer(encodeDocument(signKey(secret.publicKey, this.#subject(this.#init.site), this.#parts.identity.current)));
  }

  /** Signs who is in a sum. */
  async #confirm(round: SecureRound, attempt: number, text: string, signal: AbortSignal): Promise<SecureAnswer> {
    const statement = readStatement(text);
    await this.#check(statement, round, attempt, signal);
    await this.#advance(round, { to: "confirmed", attempt, statement: digestOf(text) }, "it was to sign who is in a sum twice");
    this.#logger.info("sum confirmed", { round: round.round, attempt, sites: statement.contributors.map(({ site }) => site) });
    return documentAnswer(encodeDocument(signStatement(text, this.#subject(this.#init.site), this.#parts.identity.current)));
  }

  /** Gives the seeds that are still in a sum, once everybody in it has signed that it is this one. */
  async #reveal(round: SecureRound, attempt: number, text: string, signal: AbortSignal): Promise<SecureAnswer> {
    const { statement: signed, confirmations } = readProof(text);
    const statement = readStatement(signed);
    const { secret, others } = await this.#check(statement, round, attempt, signal);
    const { trust, site: own } = this.#init;
    for (const { site } of statement.contributors) {
      const confirmation = confirmations.find((one) => one.site === site);
      if (confirmation === undefined) throw this.#refused(`${site} has not signed who is in the sum`);
      verifyStatement(signed, confirmation, this.#subject(site), { trust, nowMs: this.#parts.now() });
    }
    await this.#advance(
      round,
      { to: "revealed", attempt, statement: digestOf(signed) },
      "it has not signed this sum, or another one since",
    );
    const task = this.#maskedTask(round, attempt);
    const isIn = (site: string): boolean => statement.contributors.some((one) => one.site === site);
    const outside = others.filter(({ site }) => !isIn(site));
    const pairs = Object.fromEntries(outside.map((other) => [other.site, secret.pairSeed(task, own, other).toString("hex")]));
    this.#logger.info("masks revealed", { round: round.round, attempt, without: outside.map(({ site }) => site) });
    return documentAnswer(encodeDocument({ self: secret.selfSeed(task).toString("hex"), pairs }));
  }

  /** Whether a sum may be known, as far as this site is concerned; gives the keys that its updates are masked with. */
  async #check(statement: SumStatement, round: SecureRound, attempt: number, signal: AbortSignal): Promise<RoundKeys> {
    const { jobId, site, minSites } = this.#init;
    const { contributors } = statement;
    const isOfRound = statement.job_id === jobId && statement.round === round.round && statement.task === round.task;
    if (!isOfRound || statement.attempt !== attempt || round.attempt !== attempt)
      throw this.#refused("the sum is of another round or attempt");
    if (statement.model !== round.base.hash) throw this.#refused("the others have trained on another model");
    if (statement.roster !== round.roster) throw this.#refused("the others have masked with other keys");
    const own = contributors.find((one) => one.site === site);
    if (own === undefined || own.update !== round.masked) throw this.#refused("the update of this site is not in the sum");
    const names = contributors.map((one) => one.site);
    if (names.some((name, i) => i > 0 && name <= (names[i - 1] ?? ""))) throw this.#refused("a site is in the sum twice");
    if (names.length < minSites) {
      throw this.#refused(`the sum is of ${names.length} sites, and may be of ${minSites} or more`, { sites: names.length, minSites });
    }
    const keys = await this.#keysIn({ hash: statement.roster, size: 0 }, signal);
    const stranger = names.find((name) => name !== site && !keys.others.some((other) => other.site === name));
    if (stranger !== undefined) throw this.#refused(`${stranger} is in the sum, and none of its keys is in the round`);
    return keys;
  }

  /** The keys of a round: this site's own secret, and those of the other sites, each verified. */
  async #keysIn(ref: ObjectRef, signal: AbortSignal): Promise<RoundKeys> {
    const { trust, site } = this.#init;
    const { keys } = readRoster(await this.#read(ref, signal));
    const nowMs = this.#parts.now();
    const known = new Map<string, Buffer>();
    for (const key of keys) {
      if (known.has(key.site)) throw this.#refused(`${key.site} has two keys`);
      known.set(key.site, verifyKey(key, this.#subject(key.site), { trust, nowMs }));
    }
    const secret = await this.#secret();
    if (known.get(site)?.equals(secret.publicKey) !== true) throw this.#refused("this site's own key is not in the round");
    known.delete(site);
    return { secret, others: [...known].map(([other, publicKey]) => ({ site: other, publicKey })) };
  }

  /** A whole model becomes what was changed of the model: sums are of differences. */
  async #asDifference(result: TrainerResult, base: string, signal: AbortSignal): Promise<string> {
    if (result.paramsType === "DIFF") return result.path;
    const { differenceUpdate } = await import("@flare-ts/aggregator");
    const outPath = this.#parts.pathForAnswer();
    await differenceUpdate({ source: result.path, base, outPath, isDurable: false, signal });
    removeAtOnce(result.path);
    return outPath;
  }

  async #advance(round: SecureRound, advance: Parameters<SiteStore["advanceRound"]>[1], why: string): Promise<void> {
    if (!(await this.#parts.store.advanceRound(round, advance))) throw this.#refused(why, { round: round.round, attempt: advance.attempt });
  }

  async #secret(): Promise<MaskSecret> {
    const { store, randomBytes } = this.#parts;
    const secret = await store.maskSecret(this.#init.jobId, () => randomBytes(secretBytes));
    if (secret === undefined) throw ended(this.#init.jobId);
    return new MaskSecret(secret);
  }

  async #read(ref: ObjectRef, signal: AbortSignal): Promise<Uint8Array> {
    return readFile(await this.#parts.fetch(ref, signal));
  }

  async #pathOf({ hash }: ObjectRef): Promise<string> {
    const held = await this.#parts.models.find(hash);
    if (held === undefined) throw new FlareError("runtime/object-missing", `The store does not hold ${hash}.`, { facts: { hash } });
    return held.path;
  }

  #holdOnly(hashes: readonly ContentHash[]): Promise<void> {
    return this.#parts.retention.keepOnly(secureHolder(this.#init.jobId), hashes);
  }

  #maskedTask({ round, task }: SecureRound, attempt: number): MaskedTask {
    const { trust, jobId } = this.#init;
    return { project: trust.project, jobId, round, task, attempt };
  }

  #subject(site: string): SignedFor {
    return { project: this.#init.trust.project, jobId: this.#init.jobId, site };
  }

  #refused(why: string, facts: Readonly<Record<string, Json>> = {}): FlareError {
    return refusal(this.#init, why, facts);
  }
}

/** What the updates of a round are masked with. */
interface RoundKeys {
  readonly secret: MaskSecret;
  readonly others: readonly { readonly site: string; readonly publicKey: Buffer }[];
}

/** Why a site does not do what the server asks. */
export function refusal(
  { site, jobId }: Pick<SecureUpdatesInit, "site" | "jobId">,
  why: string,
  facts: Readonly<Record<string, Json>> = {},
): FlareError {
  return new FlareError("secure/refused", `${site} does not do what the server asks: ${why}.`, {
    facts: { ...facts, site, job: jobId, why },
  });
}

/** Under this name a site keeps the updates of a job that it may have to mask anew. */
export function secureHolder(jobId: string): string {
  return `secure:${jobId}`;
}

function documentAnswer(bytes: Buffer): SecureAnswer {
  const hash = createHash("sha256").update(bytes).digest("hex") as ContentHash;
  return { update: { hash, size: bytes.byteLength }, bytes, paramsType: "FULL", weight: 1, metrics: {}, meta: {} };
}

function digestOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

function ended(jobId: string): FlareError {
  return new FlareError("internal/aborted", "The job is over.", { facts: { job: jobId } });
}
