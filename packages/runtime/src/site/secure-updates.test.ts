import { randomBytes } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { announceScale, createEngine, decodeSafetensors, encodeSafetensors, fedAvg, type Mask, unmaskSums } from "@flare-ts/aggregator";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createLogger } from "../logging/logger.js";
import { pairSign } from "../secure-aggregation/mask-seeds.js";
import {
  encodeDocument,
  type RevealedSeeds,
  readConfirmation,
  readRevealed,
  readSignedKey,
  type SignedKey,
  type SumStatement,
} from "../secure-aggregation/secure-documents.js";
import { stepTask } from "../secure-aggregation/step-tasks.js";
import { TestProject } from "../session/test-project.test-support.js";
import { FileModelStore } from "../store/file-model-store.js";
import type { ObjectRef } from "../store/model-store.js";
import { ObjectRetention } from "../store/object-retention.js";
import type { SiteStore } from "../store/site-store.js";
import { openSqliteSiteStore } from "../store/sqlite-site-store.js";
import { type SecureAnswer, SecureUpdates } from "./secure-updates.js";

const jobId = "6f1f1a52-8d3c-4b9a-9a53-0e6c5d1d7c11";
const names = ["site-1", "site-2", "site-3", "site-4"];
const { signal } = new AbortController();
const maxWeight = 100;
const secure = { minSites: 3, maxWeight, stepTimeoutMs: 1000 };
const project = new TestProject("masks");

let folder = "";
let server: Server;
const stores: SiteStore[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "flare-secure-"));
  server = await Server.open(folder);
});
afterEach(async () => {
  for (const store of stores.splice(0)) await store.close();
  await rm(folder, { recursive: true });
});

describe("updates that a server adds without reading them", () => {
  it("come to the mean of those whose sum was confirmed, whoever else has masked with them", async () => {
    const sites = await openSites();
    const roster = await server.roster(sites);
    const masked = await server.maskAll(sites, roster);
    const [, , , absent] = sites;
    const rest = sites.filter((site) => site !== absent);
    const statement = await server.statement(roster, masked, rest);
    const revealed = await server.reveal(rest, statement, await server.proof(rest, statement));
    // 1, 2 and 3 with the weights 10, 20 and 30, on a model of zeros.
    expect(await server.sum(masked, rest, revealed)).toEqual([2.333333, -2.333333]);
  });

  it("are the same bytes for the same task, and also of a process that knows only what was written down", async () => {
    const [site, ...others] = await openSites();
    if (site === undefined) throw new Error("no site");
    const roster = await server.roster([site, ...others]);
    const first = await site.train(roster);
    const again = await site.again();
    const kept = await again.updates.kept(0);
    if (kept === undefined) throw new Error("nothing was kept");
    expect((await again.updates.mask(kept, 0, roster, signal)).update).toEqual(first.update);
    const other = await again.updates.mask(kept, 1, roster, signal);
    expect(other.update.hash).not.toBe(first.update.hash);
    expect(other.update.size).toBe(first.update.size);
  });
});

describe("a site does not", () => {
  it("sign two sums of one attempt", async () => {
    const { sites, roster, masked } = await maskedByAll();
    const [site] = sites;
    await site?.step("confirm", await server.statement(roster, masked, sites));
    // The same once more is an answer that got lost.
    await site?.step("confirm", await server.statement(roster, masked, sites));
    await expect(site?.step("confirm", await server.statement(roster, masked, sites.slice(0, 3)))).rejects.toMatchObject(refused);
  });

  it("sign a sum of too few, one without itself, or one with a stranger or with a site twice", async () => {
    const { sites, roster, masked } = await maskedByAll();
    const [site] = sites;
    for (const members of [sites.slice(0, 2), sites.slice(1)]) {
      await expect(site?.step("confirm", await server.statement(roster, masked, members))).rejects.toMatchObject(refused);
    }
    const stated = await server.stated(roster, masked, sites);
    const twice = [...stated.contributors, ...stated.contributors.slice(-1)];
    const stranger = [...stated.contributors, { site: "site-9", update: roster.hash }];
    for (const contributors of [twice, stranger]) {
      await expect(site?.step("confirm", await server.put({ ...stated, contributors }))).rejects.toMatchObject(refused);
    }
  });

  it("sign a sum with another update of its own, or of sites that have trained on another model or masked with other keys", async () => {
    const { sites, roster, masked } = await maskedByAll();
    const stated = await server.stated(roster, masked, sites);
    const contributors = stated.contributors.map((one) => ({ ...one, update: roster.hash }));
    for (const lie of [
      { contributors },
      { model: roster.hash },
      { roster: server.model.hash },
      { attempt: 1 },
      { round: 1 },
      { task: "other" },
    ]) {
      await expect(sites[0]?.step("confirm", await server.put({ ...stated, ...lie }))).rejects.toMatchObject(refused);
    }
  });

  it("reveal anything before all of a sum have signed it", async () => {
    const { sites, roster, masked } = await maskedByAll();
    const statement = await server.statement(roster, masked, sites);
    const proof = await server.proof(sites, statement);
    const whole = JSON.parse(await readFile(await server.pathOf(proof), "utf8")) as {
      confirmations: { site: string; signature: string }[];
    };
    const without = { ...whole, confirmations: whole.confirmations.slice(0, 3) };
    await expect(sites[0]?.step("reveal", await server.put(without))).rejects.toMatchObject(refused);
    const [first, ...rest] = whole.confirmations;
    const forged = { ...whole, confirmations: [first, ...rest.map((one) => ({ ...one, signature: first?.signature }))] };
    await expect(sites[0]?.step("reveal", await server.put(forged))).rejects.toMatchObject({ code: "secure/key-untrusted" });
    expect(readRevealed((await sites[0]?.step("reveal", proof)) ?? "")).toMatchObject({ pairs: {} });
  });

  it("reveal a sum that it has not signed, though all others have", async () => {
    const { sites, roster, masked } = await maskedByAll();
    const [first, ...others] = sites;
    const three = others.slice(0, 3);
    const statement = await server.statement(roster, masked, three);
    const proof = await server.proof(three, statement);
    await expect(first?.step("reveal", proof)).rejects.toMatchObject(refused);
  });

  it("take part in another attempt once it has revealed, nor go back to one before, also after a restart", async () => {
    const { sites, roster, masked } = await maskedByAll();
    const statement = await server.statement(roster, masked, sites);
    const proof = await server.proof(sites, statement);
    const [one, two] = sites;
    const revealed = await one?.step("reveal", proof);
    const restarted = await one?.again();
    await expect(restarted?.step("mask", roster, 1)).rejects.toMatchObject(refused);
    // An answer that got lost is given again.
    expect(await restarted?.step("reveal", proof)).toEqual(revealed);
    await two?.step("mask", roster, 1);
    await expect(two?.step("reveal", proof)).rejects.toMatchObject(refused);
    await expect(two?.step("confirm", statement)).rejects.toMatchObject(refused);
  });

  it("mask with a key that is not the site's, or whose certificate the server has issued, or with none of its own", async () => {
    const sites = await openSites();
    const [site] = sites;
    const keys = await server.keys(sites);
    const stranger = readSignedKey(await (await openSite("site-9", "site-2")).step("keys", server.model));
    const renewing = project.intermediate({ name: "server-1", role: "issuer:client,server" });
    const forged = readSignedKey(
      await (await openSite("site-2", "site-2", project.issue({ name: "site-2" }, renewing))).step("keys", server.model),
    );
    const tampered = { ...keys[1], public_key: keys[2]?.public_key };
    for (const [bad, code, message] of [
      [[keys[0], { ...stranger, site: "site-2" }, keys[2]], "secure/key-untrusted", /certificate is that of site-9/],
      [[keys[0], forged, keys[2]], "secure/key-untrusted", /issued by the server/],
      [[keys[0], tampered, keys[2]], "secure/key-untrusted", /signature is wrong/],
      [keys.slice(1), "secure/refused", /own key is not in the round/],
      [[...keys, keys[1]], "secure/refused", /site-2 has two keys/],
    ] as const) {
      const roster = await server.put({ format_version: 1, keys: bad });
      await expect(site?.train(roster)).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
    }
  });

  it("give its key to a job that is over, and keeps no secret of it", async () => {
    const site = await openSite("site-1");
    await site.step("keys", server.model);
    await site.store.endJob(jobId);
    await expect(site.step("keys", server.model)).rejects.toMatchObject({ code: "internal/aborted" });
    expect(await site.store.secureRounds()).toEqual([]);
  });
});

const refused = { code: "secure/refused" };

async function maskedByAll(): Promise<{ sites: readonly Site[]; roster: ObjectRef; masked: ReadonlyMap<string, ObjectRef> }> {
  const sites = await openSites();
  const roster = await server.roster(sites);
  return { sites, roster, masked: await server.maskAll(sites, roster) };
}

function openSites(): Promise<readonly Site[]> {
  return Promise.all(names.map((name) => openSite(name)));
}

/** A site with a store of its own; `as` signs by another name than that of its certificate. */
async function openSite(name: string, as = name, identity = project.issue({ name })): Promise<Site> {
  const own = await mkdtemp(join(folder, `${name}-`));
  const site = new Site(as, own, identity);
  await site.open();
  return site;
}

class Site {
  store!: SiteStore;
  updates!: SecureUpdates;
  readonly name: string;
  readonly folder: string;
  readonly identity: ReturnType<TestProject["issue"]>;
  #answers = 0;

  constructor(name: string, at: string, identity: ReturnType<TestProject["issue"]>) {
    this.name = name;
    this.folder = at;
    this.identity = identity;
  }

  async open(): Promise<void> {
    this.store = await openSqliteSiteStore({ path: join(this.folder, "site.db") });
    stores.push(this.store);
    const models = await FileModelStore.open({ root: join(this.folder, "models") });
    const { logger } = createLogger({ folder: this.folder, level: "error" });
    this.updates = new SecureUpdates(
      {
        store: this.store,
        models,
        retention: new ObjectRetention({ models, logger }),
        identity: { current: this.identity },
        logger,
        now: () => Date.now(),
        randomBytes,
        fetch: (object) => server.pathOf(object),
        pathForAnswer: () => join(this.folder, `answer-${this.#answers++}.safetensors`),
      },
      { jobId, site: this.name, trust: project.trust(), secure, minSites: 3 },
    );
  }

  /** As a process that follows one that was killed. */
  async again(): Promise<Site> {
    const site = new Site(this.name, this.folder, this.identity);
    await site.open();
    return site;
  }

  async train(roster: ObjectRef): Promise<SecureAnswer> {
    const number = Number(this.name.at(-1));
    const path = join(this.folder, "trained.safetensors");
    await writeFile(path, encodeSafetensors([["w", { dtype: "F32", shape: [2], data: Float32Array.of(number, -number) }]]));
    const result = { path, paramsType: "FULL", weight: 10 * number, metrics: {}, meta: {} } as const;
    const model = { ...server.model, path: await server.pathOf(server.model) };
    const round = await this.updates.keep(result, { jobId, round: 0, task: "train" }, model, signal);
    const answer = await this.updates.mask(round, 0, roster, signal);
    await server.take(answer, join(this.folder, "models"));
    return answer;
  }

  async step(step: "keys" | "mask" | "confirm" | "reveal", document: ObjectRef, attempt = 0): Promise<Buffer> {
    const key = { jobId, round: 0, task: stepTask("train", step, attempt) };
    const answer = await this.updates.answer({ step, attempt }, key, document, signal);
    return Buffer.from(answer.bytes ?? []);
  }
}

/** What a server has: documents and models by their hashes. */
class Server {
  readonly #models: FileModelStore;
  readonly #folder: string;
  model!: ObjectRef;

  private constructor(models: FileModelStore, at: string) {
    this.#models = models;
    this.#folder = at;
  }

  static async open(at: string): Promise<Server> {
    const opened = new Server(await FileModelStore.open({ root: join(at, "server") }), at);
    opened.model = await opened.#models.importBytes(encodeSafetensors([["w", { dtype: "F32", shape: [2], data: new Float32Array(2) }]]));
    return opened;
  }

  async pathOf({ hash }: Pick<ObjectRef, "hash">): Promise<string> {
    const held = await this.#models.find(hash);
    if (held === undefined) throw new Error(`the server has no ${hash}`);
    return held.path;
  }

  put(document: unknown): Promise<ObjectRef> {
    return this.#models.importBytes(Buffer.from(JSON.stringify(document)));
  }

  async take({ update }: SecureAnswer, from: string): Promise<void> {
    const held = await (await FileModelStore.open({ root: from })).find(update.hash);
    await this.#models.importFile(held?.path ?? "");
  }

  async keys(sites: readonly Site[]): Promise<SignedKey[]> {
    return Promise.all(sites.map(async (site) => readSignedKey(await site.step("keys", this.model))));
  }

  async roster(sites: readonly Site[]): Promise<ObjectRef> {
    return this.#models.importBytes(encodeDocument({ format_version: 1, keys: await this.keys(sites) }));
  }

  async maskAll(sites: readonly Site[], roster: ObjectRef): Promise<ReadonlyMap<string, ObjectRef>> {
    return new Map(await Promise.all(sites.map(async (site) => [site.name, (await site.train(roster)).update] as const)));
  }

  async stated(roster: ObjectRef, masked: ReadonlyMap<string, ObjectRef>, sites: readonly Site[]): Promise<SumStatement> {
    const contributors = sites.map(({ name }) => ({ site: name, update: masked.get(name)?.hash ?? roster.hash }));
    return {
      format_version: 1,
      job_id: jobId,
      round: 0,
      task: "train",
      attempt: 0,
      model: this.model.hash,
      roster: roster.hash,
      contributors,
    };
  }

  async statement(...of: Parameters<Server["stated"]>): Promise<ObjectRef> {
    return this.#models.importBytes(encodeDocument(await this.stated(...of)));
  }

  async proof(sites: readonly Site[], statement: ObjectRef): Promise<ObjectRef> {
    const text = await readFile(await this.pathOf(statement), "utf8");
    const confirmations = await Promise.all(
      sites.map(async (site) => ({ site: site.name, ...readConfirmation(await site.step("confirm", statement)) })),
    );
    return this.#models.importBytes(encodeDocument({ format_version: 1, statement: text, confirmations }));
  }

  async reveal(sites: readonly Site[], _statement: ObjectRef, proof: ObjectRef): Promise<ReadonlyMap<string, RevealedSeeds>> {
    return new Map(await Promise.all(sites.map(async (site) => [site.name, readRevealed(await site.step("reveal", proof))] as const)));
  }

  async sum(
    masked: ReadonlyMap<string, ObjectRef>,
    sites: readonly Site[],
    revealed: ReadonlyMap<string, RevealedSeeds>,
  ): Promise<number[]> {
    const model = await this.pathOf(this.model);
    const scale = await announceScale({ model, maxWeight });
    const outPath = join(this.#folder, "sums.safetensors");
    const paths = sites.map(async ({ name }) => ({ contributor: name, path: await this.pathOf(masked.get(name) ?? this.model) }));
    const masks = [...revealed].flatMap(([site, { self, pairs }]): Mask[] => [
      { seed: Buffer.from(self, "hex"), sign: 1 },
      ...Object.entries(pairs).map(([other, seed]): Mask => ({ seed: Buffer.from(seed, "hex"), sign: pairSign(site, other) })),
    ]);
    const strategy = fedAvg();
    await unmaskSums({ model, strategy, paramsType: "DIFF", scale, maxWeight, masked: await Promise.all(paths), masks, outPath });
    const { engine } = await createEngine({ nowMs: () => 0 }, { engine: "js" });
    const session = await engine.open({ model, strategy, paramsType: "DIFF", scale });
    await session.addSums(outPath);
    const made = join(this.#folder, "made.safetensors");
    await session.finish({ outPath: made, base: model });
    const data = decodeSafetensors(await readFile(made), made).get("w")?.data as Float32Array;
    return Array.from(data, (value) => Math.round(value * 1e6) / 1e6);
  }
}
