import type { JobEvent, JournalEntry } from "../job/job-event.js";
import { stepOf } from "../secure-aggregation/step-tasks.js";
import type { ProjectKeys } from "../session/project-keys.js";
import type { ObjectRef } from "../store/model-store.js";
import { type RoundReceipt, receiptDigest, signReceipt } from "./round-receipt.js";
import type { SignedReceipt } from "./signed-receipt.js";

type EventOf<Type extends JobEvent["type"]> = Extract<JobEvent, { type: Type }>;

export interface ReceiptWriterComponents {
  /** The server's keys, those in force. */
  readonly identity: { readonly current: ProjectKeys };
  /** Journals a receipt; resolves when it is durable. */
  readonly append: (event: EventOf<"round-receipt">) => Promise<unknown>;
}

/**
 * Writes a receipt for each round that closes, in order; also for one whose receipt a crash has prevented, which is told by the journal.
 * To be told of every entry of a job's journal, from the first on.
 */
export class ReceiptWriter {
  readonly #parts: ReceiptWriterComponents;
  readonly #init: { readonly project: string; readonly jobId: string };
  #opened: { readonly event: EventOf<"round-opened">; readonly atMs: number } | undefined;
  /** By site and round; those that are in a model are let go. */
  readonly #updates = new Map<string, Update>();
  /** Where sites do not wait for each other: the model that each was given last, and in which round. */
  readonly #given = new Map<string, { readonly round: number; readonly model: ObjectRef }>();
  /** Rounds that closed and have no receipt yet, in order. */
  readonly #pending: Omit<RoundReceipt, "number" | "previous">[] = [];
  /** Rounds that have one. */
  #count = 0;
  #last: SignedReceipt | undefined;
  #isLive = false;
  #writing: Promise<void> = Promise.resolve();

  constructor(components: ReceiptWriterComponents, init: { readonly project: string; readonly jobId: string }) {
    this.#parts = components;
    this.#init = init;
  }

  note({ event, atMs }: JournalEntry): void {
    if (event.type === "round-opened") {
      this.#opened = { event, atMs };
      const oldest = event.buffered?.oldestBase ?? event.round;
      for (const [key, update] of this.#updates) if (update.event.round < oldest) this.#updates.delete(key);
    }
    if (event.type === "round-opened" || event.type === "task-assigned")
      for (const site of event.sites) this.#given.set(site, { round: event.round, model: event.model });
    if (event.type === "update-accepted") this.#updates.set(keyOf(event), { event, base: this.#given.get(event.site) });
    // The same update, masked anew: this one is in the sum.
    if (event.type === "step-answered" && stepOf(event.task)?.step === "mask") {
      const { site, round, update } = event;
      this.#updates.set(keyOf(event), { event: { site, round, update, paramsType: "DIFF", weight: 1 }, base: undefined });
    }
    if (event.type === "round-receipt") this.#adopt(event);
    if (event.type === "round-closed") {
      const receipt = this.#receiptOf(event, atMs);
      if (receipt !== undefined) this.#pending.push(receipt);
      if (this.#isLive) this.#write();
    }
  }

  /** The past is told: what lacks a receipt gets one from now on. */
  begin(): void {
    this.#isLive = true;
    this.#write();
  }

  /** Resolves when every closed round has its receipt. @throws what prevented it */
  async settled(): Promise<void> {
    this.#write();
    await this.#writing;
  }

  /** A receipt is durable; the journal tells so sooner or later than the one who wrote it. */
  #adopt({ round, document, signature, certificate }: EventOf<"round-receipt">): void {
    const index = this.#pending.findIndex((receipt) => receipt.round === round);
    if (index === -1) return;
    this.#pending.splice(index, 1);
    this.#count += 1;
    this.#last = { document, signature, certificate };
  }

  #write(): void {
    this.#writing = this.#writing.catch(() => undefined).then(() => this.#writeMissing());
    // Whoever asks whether all is settled hears of a failure, and the next closed round tries again.
    this.#writing.catch(() => undefined);
  }

  async #writeMissing(): Promise<void> {
    for (let next = this.#pending[0]; next !== undefined; next = this.#pending[0]) {
      const previous = this.#last === undefined ? "" : receiptDigest(this.#last);
      const signed = signReceipt({ ...next, number: this.#count + 1, previous }, this.#parts.identity.current);
      const event = { type: "round-receipt", round: next.round, ...signed } as const;
      await this.#parts.append(event);
      this.#adopt(event);
    }
  }

  #receiptOf(event: EventOf<"round-closed">, closedAtMs: number): Omit<RoundReceipt, "number" | "previous"> | undefined {
    const opened = this.#opened;
    if (opened?.event.round !== event.round) return undefined;
    const counted = event.updates ?? event.contributors.map((site) => ({ site, round: event.round }));
    const contributions = counted.flatMap((one) => {
      const update = this.#updates.get(keyOf(one));
      this.#updates.delete(keyOf(one));
      return update === undefined ? [] : [contributionOf(update, event)];
    });
    return {
      format_version: 1,
      project: this.#init.project,
      job_id: this.#init.jobId,
      round: event.round,
      task: opened.event.task,
      opened_at_ms: opened.atMs,
      closed_at_ms: closedAtMs,
      base: opened.event.model,
      model: event.model,
      contributions,
      missing: [...event.missing],
      metrics: { ...event.metrics },
      strategy: event.strategy ?? "",
      engine: event.engine ?? "",
    };
  }
}

interface Update {
  readonly event: Pick<EventOf<"update-accepted">, "site" | "round" | "update" | "paramsType" | "weight">;
  readonly base: { readonly round: number; readonly model: ObjectRef } | undefined;
}

/** An update in a receipt; where it need not be made from the model of the round, with what it was made from. */
function contributionOf({ event, base }: Update, closed: EventOf<"round-closed">): RoundReceipt["contributions"][number] {
  const { site, update, paramsType, weight } = event;
  const began =
    closed.updates === undefined || base?.round !== event.round ? {} : { base: base.model, staleness: closed.round - base.round };
  return { site, update, params_type: paramsType, weight, ...began };
}

function keyOf({ site, round }: { readonly site: string; readonly round: number }): string {
  return `${round} ${site}`;
}
