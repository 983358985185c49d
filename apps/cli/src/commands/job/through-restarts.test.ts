import { FlareError } from "@flare-ts/contracts";
import { describe, expect, it } from "vitest";
import { throughRestarts } from "./through-restarts.js";

const away = new FlareError("transfer/disconnected", "the server is gone");

interface Told {
  readonly seq: number;
}

/** A server that tells so many entries each time before it goes away, and all that are left at the last. */
function server(cuts: readonly (number | FlareError)[], last: number): (after: number) => AsyncGenerator<Told> {
  const left = [...cuts];
  return async function* open(after) {
    const cut = left.shift();
    if (cut instanceof FlareError) throw cut;
    for (let seq = after + 1; seq <= (cut ?? last); seq++) yield { seq };
    if (cut !== undefined) throw away;
  };
}

async function read(open: (after: number) => AsyncIterable<Told>, signal = new AbortController().signal) {
  const [seen, lost]: [number[], string[]] = [[], []];
  const entries = throughRestarts(open, { signal, onAway: ({ message }) => lost.push(message), retryMs: 1 });
  for await (const { seq } of entries) seen.push(seq);
  return { seen, lost };
}

describe("throughRestarts", () => {
  it("tells each entry once, however often the server goes away, and says once each time that it did", async () => {
    const outcome = await read(server([2, away, away, 4, new FlareError("transfer/unreachable", "not yet")], 6));
    const line = "the server is gone";
    expect(outcome).toEqual({ seen: [1, 2, 3, 4, 5, 6], lost: [line, line] });
  });

  it("waits also where the server has told nothing yet, as of a job whose scripts have not tracked anything", async () => {
    expect(await read(server([away, 0], 2))).toMatchObject({ seen: [1, 2], lost: [expect.any(String)] });
  });

  it("fails where the server refuses", async () => {
    const refusal = new FlareError("auth/not-authorized", "not any more");
    await expect(read(server([1, refusal], 2))).rejects.toMatchObject({ code: "auth/not-authorized" });
  });

  it("ends while it waits for the server when it is told to", async () => {
    const stop = new AbortController();
    const entries = throughRestarts(server([1], 2), {
      signal: stop.signal,
      onAway: () => setTimeout(() => stop.abort(), 5),
      retryMs: 60_000,
    });
    const seen = [];
    for await (const { seq } of entries) seen.push(seq);
    expect(seen).toEqual([1]);
  });
});
