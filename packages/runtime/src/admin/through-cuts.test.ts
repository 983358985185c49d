import { FlareError } from "@flare-ts/contracts";
import { expect, it } from "vitest";
import { throughCuts } from "./through-cuts.js";

const away = new FlareError("transfer/unreachable", "the server is gone");
const { signal } = new AbortController();

/** Fails with each of some reasons in turn, and then is done. */
function failing(...reasons: readonly Error[]): () => Promise<string> {
  const left = [...reasons];
  return async () => {
    const reason = left.shift();
    if (reason !== undefined) throw reason;
    return "done";
  };
}

it("is done when the server is back, and it is told once that it was away", async () => {
  const told: string[] = [];
  expect(await throughCuts(failing(away, away), { signal, onAway: ({ message }) => told.push(message) })).toBe("done");
  expect(told).toEqual(["the server is gone"]);
});

it("is over at what the server refuses, and when the server stays away", async () => {
  const refusal = new FlareError("auth/not-authorized", "no");
  await expect(throughCuts(failing(away, refusal), { signal })).rejects.toBe(refusal);
  await expect(throughCuts(failing(away, away), { signal, stallMs: 0 })).rejects.toBe(away);
});

it("is over when it is told to", async () => {
  const stop = new AbortController();
  const work = throughCuts(() => Promise.reject(away), { signal: stop.signal, onAway: () => stop.abort() });
  await expect(work).rejects.toMatchObject({ code: "internal/aborted" });
});
