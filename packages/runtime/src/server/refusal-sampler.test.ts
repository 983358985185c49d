import { limits } from "@flare-ts/contracts";
import { expect, it } from "vitest";
import { RefusalSampler } from "./refusal-sampler.js";

const refusal = (address: string, step: "tls" | "challenge" = "tls") =>
  ({ kind: "refused", step, code: "auth/tls-refused", reason: "no certificate", address }) as const;

it("a flood from one address is told up to a limit, then counted, and others are still told", () => {
  let nowMs = 1_000_000;
  const sampler = new RefusalSampler({ now: () => nowMs });
  sampler.turn();
  const told = Array.from({ length: 5_000 }, (_, port) => sampler.isTold(refusal(`10.0.0.1:${port}`))).filter(Boolean).length;
  expect(told).toBe(limits.refusalsToldOfAddress);
  expect(sampler.isTold(refusal("10.0.0.2:1"))).toBe(true);
  expect(sampler.turn()).toEqual([]);
  nowMs += 60_000;
  expect(sampler.turn()).toEqual([{ step: "tls", code: "auth/tls-refused", count: 5_000 - told, sinceMs: 1_000_000 }]);
  expect(sampler.isTold(refusal("10.0.0.1:1"))).toBe(true);
  expect(sampler.turn(true)).toEqual([]);
});

it("a flood from everywhere is told up to a limit in all, and counted by what was asked and why it was refused", () => {
  const sampler = new RefusalSampler({ now: () => 1_000_000 });
  sampler.turn();
  const steps = ["tls", "challenge"] as const;
  const refusals = Array.from({ length: 4_000 }, (_, i) => refusal(`[fe80::${i}]:1`, steps[i % 2]));
  const told = refusals.filter((one) => sampler.isTold(one)).length;
  expect(told).toBe(limits.refusalsTold);
  const counts = Object.fromEntries(sampler.turn(true).map(({ step, count }) => [step, count]));
  expect(counts).toEqual({ challenge: 2_000 - told / 2, tls: 2_000 - told / 2 });
});
