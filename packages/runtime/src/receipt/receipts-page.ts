import type { JournalEntry } from "../job/job-event.js";
import { entriesThatFit } from "../output/entries-that-fit.js";
import type { SignedReceipt } from "./signed-receipt.js";

/** Receipts of a job, as many as one message has room for. */
export interface ReceiptsPage {
  readonly receipts: readonly SignedReceipt[];
  /** The entry of the journal behind which there are more. */
  readonly next?: number;
}

/** The receipts in a part of a journal, from its first entry on. */
export function receiptsPage(entries: readonly JournalEntry[]): ReceiptsPage {
  const all = entries.flatMap(({ seq, event }) => {
    if (event.type !== "round-receipt") return [];
    const { document, signature, certificate } = event;
    return [{ seq, receipt: { document, signature, certificate } }];
  });
  const first = entriesThatFit(all);
  const last = first.at(-1);
  const receipts = first.map(({ receipt }) => receipt);
  return last === undefined || first.length === all.length ? { receipts } : { receipts, next: last.seq };
}
