import { limits } from "@flare-ts/contracts";
import { describe, expect, it } from "vitest";
import type { JournalEntry } from "../job/job-event.js";
import { type ReceiptsPage, receiptsPage } from "./receipts-page.js";

describe("receiptsPage", () => {
  it("tells the receipts of a job of many rounds in parts that go into one message", () => {
    const journal = journalOf(3_000);
    const documents: string[] = [];
    let page: ReceiptsPage;
    let after = 0;
    do {
      page = receiptsPage(journal.filter(({ seq }) => seq > after));
      expect(JSON.stringify(page).length).toBeLessThan(limits.controlMessageBytes / 3);
      documents.push(...page.receipts.map(({ document }) => document));
      after = page.next ?? after;
    } while (page.next !== undefined);
    expect(documents).toEqual(Array.from({ length: 3_000 }, (_, round) => `receipt of round ${round}`));
  });

  it("says nothing of more where there is none", () => {
    expect(receiptsPage(journalOf(2))).not.toHaveProperty("next");
    expect(receiptsPage([])).toEqual({ receipts: [] });
  });
});

/** Each receipt follows another event. */
function journalOf(rounds: number): readonly JournalEntry[] {
  return Array.from({ length: rounds }, (_, round) => {
    const closing: JournalEntry["event"] = { type: "deadline-passed", round };
    // With a certificate and its chain, as an RSA key makes them.
    const receipt = { document: `receipt of round ${round}`, signature: "s".repeat(344), certificate: "c".repeat(3_000) };
    return [
      { jobId: "j", seq: 2 * round + 1, atMs: 0, event: closing },
      { jobId: "j", seq: 2 * round + 2, atMs: 0, event: { type: "round-receipt", round, ...receipt } },
    ] as JournalEntry[];
  }).flat();
}
