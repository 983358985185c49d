import { describe, expect, it } from "vitest";
import { type MaskedTask, MaskSecret, pairSign } from "./mask-seeds.js";

const task: MaskedTask = { project: "p", jobId: "j", round: 1, task: "train", attempt: 0 };
const [a, b, c] = [1, 2, 3].map((fill) => new MaskSecret(new Uint8Array(32).fill(fill))) as [MaskSecret, MaskSecret, MaskSecret];
const otherTasks: readonly MaskedTask[] = [
  { ...task, project: "q" },
  { ...task, jobId: "k" },
  { ...task, round: 11 },
  { ...task, task: "trai" },
  { ...task, attempt: 1 },
];

describe("the seed of a pair", () => {
  it("is the same for both, and used with opposite signs", () => {
    expect(a.pairSeed(task, "a", { site: "b", publicKey: b.publicKey })).toEqual(
      b.pairSeed(task, "b", { site: "a", publicKey: a.publicKey }),
    );
    expect(pairSign("a", "b") + pairSign("b", "a")).toBe(0);
  });

  it("is another one for each pair, project, job, round, task and attempt", () => {
    const seeds = [task, ...otherTasks].map((one) => a.pairSeed(one, "a", { site: "b", publicKey: b.publicKey }).toString("hex"));
    const withC = a.pairSeed(task, "a", { site: "c", publicKey: c.publicKey }).toString("hex");
    const renamed = a.pairSeed(task, "a", { site: "d", publicKey: b.publicKey }).toString("hex");
    expect(new Set([...seeds, withC, renamed]).size).toBe(8);
  });

  it("is not agreed on with a key of small order, for which it would be known to all", () => {
    expect(() => a.pairSeed(task, "a", { site: "b", publicKey: new Uint8Array(32) })).toThrow(/derivation|diffie|EVP|failed/i);
  });
});

describe("the seed of a site's own mask", () => {
  it("follows from the secret, and is another one for each project, job, round, task and attempt", () => {
    expect(new MaskSecret(new Uint8Array(32).fill(1)).selfSeed(task)).toEqual(a.selfSeed(task));
    const seeds = [task, ...otherTasks].map((one) => a.selfSeed(one).toString("hex"));
    expect(new Set([...seeds, b.selfSeed(task).toString("hex")]).size).toBe(7);
  });
});
