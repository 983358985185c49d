import { describe, expect, it } from "vitest";
import type { JobEvent, JournalEntry } from "../job/job-event.js";
import { TestProject } from "../session/test-project.test-support.js";
import { ReceiptWriter } from "./receipt-writer.js";
import { type ReceiptVerdict, verifyReceipts } from "./round-receipt.js";
import type { SignedReceipt } from "./signed-receipt.js";

const jobId = "0b8f2c1e-5d7a-4f6e-9c3b-1a2b3c4d5e6f";
const project = new TestProject("p");
const keys = project.issue({ name: "localhost", role: "server" });
const identity = { current: keys };
const init = { project: "p", jobId };

describe("the receipts of a job", () => {
  it("say of each round what was asked, who is in it and what it made, in a chain that verifies", async () => {
    const { journal, receipts } = await journalOf(3);
    const verdicts = verify(receipts);
    expect(verdicts.map(({ ok }) => ok)).toEqual([true, true, true]);
    expect(verdicts[1]).toMatchObject({
      server: "localhost",
      receipt: {
        number: 2,
        round: 1,
        base: object("1"),
        model: object("2"),
        contributions: [{ site: "site-1", update: object("a"), params_type: "FULL", weight: 7 }],
        missing: ["site-2"],
        strategy: "FedAvg",
      },
    });
    expect(journal.filter(({ event }) => event.type === "round-receipt")).toHaveLength(3);
  });

  it("do not verify once one is changed, left out, moved, signed by another or shown for another job", async () => {
    const { receipts } = await journalOf(3);
    const [first, second, third] = receipts as [SignedReceipt, SignedReceipt, SignedReceipt];
    const changed = { ...second, document: second.document.replace('"weight":7', '"weight":9') };
    expect(whys([first, changed, third])).toEqual([undefined, "its signature is wrong", "it does not follow the one before"]);
    expect(whys([first, third])).toEqual([undefined, "it does not follow the one before"]);
    expect(whys([second, first])[0]).toBe("it does not follow the one before");
    const client = project.issue({ name: "site-1", role: "client" });
    const forged = await journalOf(1, { current: client });
    expect(whys(forged.receipts)[0]).toMatch(/not that of a server/);
    const stranger = new TestProject("p").issue({ name: "localhost", role: "server" });
    expect(whys((await journalOf(1, { current: stranger })).receipts)[0]).toMatch(/certificate is not accepted/);
    expect(verifyReceipts([first], { trust: project.trust(), jobId: "another" })).toMatchObject([
      { ok: false, why: "it is of another job" },
    ]);
    expect(whys([{ ...first, document: "{" }])).toEqual(["it has not the form of a receipt"]);
  });

  it("are made good after a crash between the end of a round and its receipt, with the same content", async () => {
    const whole = await journalOf(3);
    for (let cut = 0; cut <= whole.journal.length; cut++) {
      const journal = whole.journal.slice(0, cut);
      const closed = journal.filter(({ event }) => event.type === "round-closed").length;
      const { writer, receipts } = writerOver(journal);
      for (const entry of journal) writer.note(entry);
      writer.begin();
      await writer.settled();
      expect(receipts().map(({ document }) => document)).toEqual(whole.receipts.slice(0, closed).map(({ document }) => document));
    }
  });

  it("are not there while they cannot be written, and the next that is closed tries again", async () => {
    const journal: JournalEntry[] = [];
    let isFull = true;
    const { writer, receipts } = writerOver(journal, identity, () => isFull);
    writer.begin();
    for (const event of round(0)) writer.note(add(journal, event));
    await expect(writer.settled()).rejects.toThrow("full");
    isFull = false;
    await writer.settled();
    expect(verify(receipts()).map(({ ok }) => ok)).toEqual([true]);
  });
});

/** A journal of so many rounds, with their receipts. */
async function journalOf(rounds: number, signer = identity): Promise<{ journal: JournalEntry[]; receipts: SignedReceipt[] }> {
  const journal: JournalEntry[] = [];
  const { writer, receipts } = writerOver(journal, signer);
  writer.begin();
  for (let number = 0; number < rounds; number++) {
    for (const event of round(number)) writer.note(add(journal, event));
    await writer.settled();
  }
  return { journal, receipts: receipts() };
}

function writerOver(
  journal: JournalEntry[],
  signer = identity,
  isFull = () => false,
): { writer: ReceiptWriter; receipts: () => SignedReceipt[] } {
  const writer: ReceiptWriter = new ReceiptWriter(
    {
      identity: signer,
      append: async (event) => {
        if (isFull()) throw new Error("full");
        writer.note(add(journal, event));
      },
    },
    init,
  );
  const receipts = (): SignedReceipt[] =>
    journal.flatMap(({ event }) => {
      if (event.type !== "round-receipt") return [];
      const { document, signature, certificate } = event;
      return [{ document, signature, certificate }];
    });
  return { writer, receipts };
}

function round(number: number): JobEvent[] {
  return [
    { type: "round-opened", round: number, task: "train", model: object(`${number}`), sites: ["site-1", "site-2"], totalRounds: 3 },
    {
      type: "update-accepted",
      round: number,
      task: "train",
      site: "site-1",
      update: object("a"),
      paramsType: "FULL",
      weight: 7,
      metrics: {},
      meta: {},
    },
    {
      type: "round-closed",
      round: number,
      contributors: ["site-1"],
      missing: ["site-2"],
      model: object(`${number + 1}`),
      metrics: { accuracy: 0.5 },
      bytes: 1,
      aggregationSeconds: 0.1,
      engine: "js",
      strategy: "FedAvg",
    },
  ];
}

/** Journals an event now: the certificate is good at that time. */
function add(journal: JournalEntry[], event: JobEvent): JournalEntry {
  const entry = { jobId, seq: journal.length + 1, atMs: Date.now(), event };
  journal.push(entry);
  return entry;
}

function object(digit: string): { readonly hash: never; readonly size: number } {
  return { hash: digit.repeat(64) as never, size: 3 };
}

function verify(receipts: readonly SignedReceipt[]): readonly ReceiptVerdict[] {
  return verifyReceipts(receipts, { trust: project.trust(), jobId });
}

function whys(receipts: readonly SignedReceipt[]): (string | undefined)[] {
  return verify(receipts).map((verdict) => (verdict.ok ? undefined : verdict.why));
}
