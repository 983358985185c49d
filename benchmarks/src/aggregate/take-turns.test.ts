import { expect, it } from "vitest";
import type { Contestant, FigureHead } from "./contestant.ts";
import { spread, takeTurns } from "./take-turns.ts";

const head = (id: string): FigureHead => ({ id, group: "engine", what: id, source: "memory", threads: 1, bytes: 1, against: {} });

it("every contestant runs once in every round, and the first round does not count", async () => {
  const log: string[] = [];
  let time = 0;
  const contestant = (...ids: readonly string[]): Contestant => ({
    figures: ids.map(head),
    run: async () => {
      log.push(ids.join("+"));
      return ids.map(() => time++);
    },
  });
  const signal = new AbortController().signal;
  const samples = await takeTurns([contestant("a"), contestant("b", "c")], {
    runs: 2,
    signal,
    onRound: (round) => log.push(String(round)),
  });
  expect(log).toEqual(["0", "a", "b+c", "1", "a", "b+c", "2", "a", "b+c"]);
  expect(Object.fromEntries(samples)).toEqual({ a: [3, 6], b: [4, 7], c: [5, 8] });
});

it("stops between two runs when it is told to", async () => {
  const controller = new AbortController();
  let count = 0;
  const contestant: Contestant = {
    figures: [head("a")],
    run: async () => {
      count += 1;
      if (count === 3) controller.abort(new Error("enough"));
      return [1];
    },
  };
  await expect(takeTurns([contestant], { runs: 9, signal: controller.signal, onRound: () => {} })).rejects.toThrow("enough");
  expect(count).toBe(3);
});

it("spreads a few evenly among many", () => {
  expect(
    spread([
      ["n", "t"],
      ["1", "2", "3", "4"],
    ]),
  ).toEqual(["1", "n", "2", "3", "t", "4"]);
  expect(spread([[], ["1", "2"]])).toEqual(["1", "2"]);
});
