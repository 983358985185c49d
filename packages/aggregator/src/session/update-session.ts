import { FlareError, limits } from "@flare-ts/contracts/errors";
import { throwIfAborted } from "../abort.js";
import type { AggregationReport, AggregationSession, FinishInit, Update } from "../aggregation-engine.js";
import { maxContributors, tooManyContributors } from "../exact/exact-scale.js";
import { exactWeight } from "../exact/weight.js";
import { quoted } from "../peer-text.js";
import { readLayout } from "../safetensors/read-header.js";
import type { AcceptedUpdate } from "./accepted-update.js";
import { finishSession } from "./finish-session.js";
import { matchLayout } from "./match-layout.js";
import type { SessionComponents, SessionSettings } from "./session-settings.js";
import { contributorsBehind, namesBehind } from "./summed-contributors.js";
import { checkSums, readSumsMetadata, requireTogether, type SumsHeading } from "./sums-file.js";
import { takeContent } from "./update-content.js";
import { UpdateFindings } from "./update-findings.js";

/** The session of every engine: the rules are here, the speed is in the arithmetic. */
export class UpdateSession implements AggregationSession {
  readonly #components: SessionComponents;
  readonly #init: SessionSettings;
  readonly #accepted = new Map<string, AcceptedUpdate>();
  readonly #adding = new Map<string, Promise<void>>();
  readonly #closing = new AbortController();
  #finishing: Promise<AggregationReport> | undefined;
  #isClosed = false;

  constructor(components: SessionComponents, init: SessionSettings) {
    this.#components = components;
    this.#init = init;
  }

  async add(update: Update, signal?: AbortSignal): Promise<void> {
    this.#requireOpen();
    const { contributor, paramsType, staleness = 0 } = update;
    const weight = exactWeight(update.weight, contributor);
    if (!(Number.isFinite(staleness) && staleness >= 0)) {
      throw new FlareError(
        "aggregate/weight-invalid",
        `The staleness of ${quoted(contributor)} is ${String(staleness)}; it must be a number from 0 up.`,
        {
          facts: { contributor, staleness: String(staleness) },
        },
      );
    }
    if (paramsType !== this.#init.paramsType) {
      throw new FlareError(
        "aggregate/params-type-mixed",
        `${quoted(contributor)} sent ${paramsType} where ${this.#init.paramsType} is aggregated.`,
        {
          facts: { contributor, paramsType, wanted: this.#init.paramsType },
        },
      );
    }
    await this.#take(contributor, () => this.#admit(update, weight, staleness, signal));
  }

  async addSums(source: string, signal?: AbortSignal): Promise<void> {
    this.#requireOpen();
    await this.#take(source, () => this.#admitSums(source, signal));
  }

  async remove(contributor: string): Promise<boolean> {
    this.#requireOpen();
    await this.#adding.get(contributor)?.catch(() => {});
    const update = this.#accepted.get(contributor);
    this.#accepted.delete(contributor);
    await update?.content.release();
    return update !== undefined;
  }

  finish(init: FinishInit): Promise<AggregationReport> {
    return this.#end(init, "model");
  }

  finishSums(init: Pick<FinishInit, "outPath" | "isDurable" | "isHashed" | "onProgress" | "signal">): Promise<AggregationReport> {
    return this.#end(init, "sums");
  }

  async discard(): Promise<void> {
    this.#isClosed = true;
    this.#closing.abort();
    await Promise.allSettled([...this.#adding.values(), this.#finishing]);
    await this.#letGo();
  }

  async #end(init: FinishInit, result: "model" | "sums"): Promise<AggregationReport> {
    this.#requireOpen();
    this.#finishing = this.#finish(init, result);
    try {
      const report = await this.#finishing;
      this.#isClosed = true;
      await this.#letGo();
      return report;
    } finally {
      this.#finishing = undefined;
    }
  }

  async #finish(init: FinishInit, result: "model" | "sums"): Promise<AggregationReport> {
    await Promise.allSettled(this.#adding.values());
    const stop = this.#stopBy(init.signal);
    throwIfAborted(stop);
    // By name, so that sums that round have the same bits in any order too.
    const updates = [...this.#accepted.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
    return finishSession(this.#components, { ...this.#init, updates, finish: { ...init, signal: stop }, result });
  }

  async #take(name: string, admit: () => Promise<void>): Promise<void> {
    if (this.#isKnown(name) || this.#adding.has(name)) throw twice(name);
    this.#requireRoom(this.#adding.size + 1);
    const admitted = admit();
    this.#adding.set(name, admitted);
    try {
      await admitted;
    } finally {
      this.#adding.delete(name);
    }
  }

  async #admit({ contributor, source: given }: Update, weight: number, staleness: number, signal: AbortSignal | undefined): Promise<void> {
    const stop = this.#stopBy(signal);
    const { model, announced, isCheckedEarly, spoolFolder } = this.#init;
    const content = await takeContent(given, this.#components.arithmetic, {
      folder: spoolFolder,
      maxBytes: this.#maxUpdateBytes(),
      label: `bytes of ${contributor}`,
      signal: stop,
    });
    let isAccepted = false;
    try {
      const source = await content.open();
      try {
        throwIfAborted(stop);
        const layout = await readLayout(source);
        if (layout.tensors.length === 0) {
          throw new FlareError("aggregate/update-empty", `The update of ${quoted(contributor)} holds no tensor.`, {
            facts: { contributor },
          });
        }
        const stored = await matchLayout(model, layout, source, contributor);
        const findings = new UpdateFindings({
          tensors: model.tensors,
          contributor,
          announced: announced === undefined ? undefined : { factor: weight, gridBits: announced },
        });
        if (isCheckedEarly) await this.#components.arithmetic.inspect({ source, stored }, model.tensors, findings, stop);
        throwIfAborted(stop);
        this.#accepted.set(contributor, {
          name: contributor,
          weight,
          staleness,
          content,
          identity: source.identity,
          bytes: source.size,
          tensors: stored.filter((tensor) => tensor !== undefined).length,
          stored,
          norm: isCheckedEarly ? findings.norm : undefined,
          maxima: isCheckedEarly ? findings.maxima : undefined,
          sums: undefined,
        });
        isAccepted = true;
      } finally {
        await source.close();
      }
    } finally {
      if (!isAccepted) await content.release();
    }
  }

  async #admitSums(path: string, signal: AbortSignal | undefined): Promise<void> {
    const stop = this.#stopBy(signal);
    const { model, paramsType, strategy, announced } = this.#init;
    if (announced === undefined) {
      throw new FlareError("aggregate/sums-invalid", "Sums can be added only where a scale was announced.", { facts: { file: path } });
    }
    const content = await takeContent(path, this.#components.arithmetic, { folder: "", maxBytes: 0, label: path, signal: stop });
    const source = await content.open();
    try {
      const layout = await readLayout(source);
      const heading: SumsHeading = { strategy: strategy.name, paramsType, gridBits: [...announced] };
      const sums = readSumsMetadata(layout, model, heading, path);
      if (sums.together.length > 0) requireTogether(strategy);
      const stored = await matchLayout(model, layout, source, path, "sums");
      await checkSums(source, stored, model, sums);
      throwIfAborted(stop);
      const names = namesBehind(sums);
      for (const name of names) if (this.#isKnown(name) || this.#adding.has(name)) throw twice(name);
      this.#requireRoom(this.#adding.size - 1 + names.length);
      this.#accepted.set(path, {
        name: path,
        weight: 0,
        staleness: 0,
        content,
        identity: source.identity,
        bytes: source.size,
        tensors: layout.tensors.length,
        stored,
        norm: 0,
        maxima: undefined,
        sums,
      });
    } finally {
      await source.close();
    }
  }

  /** Whether a contributor was accepted, by itself or in sums. */
  #isKnown(contributor: string): boolean {
    if (this.#accepted.has(contributor)) return true;
    return [...this.#accepted.values()].some(({ sums }) => sums !== undefined && namesBehind(sums).includes(contributor));
  }

  #requireRoom(more: number): void {
    const contributors = [...this.#accepted.values()].reduce((sum, update) => sum + contributorsBehind(update), 0);
    if (contributors + more > maxContributors) throw tooManyContributors();
  }

  /** The longest header and every tensor of the model. */
  #maxUpdateBytes(): number {
    return this.#init.model.tensors.reduce((sum, { byteLength }) => sum + byteLength, 8 + limits.safetensorsHeaderBytes);
  }

  async #letGo(): Promise<void> {
    const updates = [...this.#accepted.values()];
    this.#accepted.clear();
    await Promise.all(updates.map(({ content }) => content.release()));
  }

  #requireOpen(): void {
    if (this.#isClosed || this.#finishing !== undefined) {
      throw new FlareError("aggregate/session-closed", "The aggregation is being finished, or was finished or discarded.");
    }
  }

  #stopBy(signal: AbortSignal | undefined): AbortSignal {
    return signal === undefined ? this.#closing.signal : AbortSignal.any([this.#closing.signal, signal]);
  }
}

function twice(contributor: string): FlareError {
  return new FlareError("aggregate/contributor-twice", `${quoted(contributor)} was added before.`, { facts: { contributor } });
}
