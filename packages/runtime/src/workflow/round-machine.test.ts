import { describe, expect, it } from "vitest";
import type { JobEvent } from "../job/job-event.js";
import { roundMachine } from "./round-machine.js";
import { failureOf, Journal, leftOf, objectNumber, planOf, updateOf } from "./round-plan.test-support.js";
import type { RoundPlan, RoundState } from "./round-state.js";
import { advance, type WorkflowEffect } from "./workflow-machine.js";

describe("round machine", () => {
  it("opens the first round at all sites with the initial model", () => {
    const run = new Run(planOf(["b", "a"]));
    expect(run.wanted).toEqual([
      { type: "open-round", round: 0, task: "train", model: objectNumber(0), sites: ["a", "b"], totalRounds: 2 },
    ]);
  });

  it("assigns the task once the round is in the journal", () => {
    const run = new Run(planOf(["a", "b"]));
    expect(run.open(0)).toEqual([
      { type: "assign", round: 0, task: "train", model: objectNumber(0), sites: ["a", "b"], totalRounds: 2, meta: {} },
    ]);
  });

  it("folds each answer as it comes, and aggregates when the last one is there", () => {
    const run = new Run(planOf(["a", "b"]));
    run.open(0);
    expect(types(run.add(updateOf("b", 0)))).toEqual(["fold"]);
    const effects = run.add(updateOf("a", 0));
    expect(types(effects)).toEqual(["fold", "aggregate"]);
    expect(contributorsIn(effects)).toEqual(["a", "b"]);
  });

  it("multiplies a site's weight by the factor that the job gives it", () => {
    const run = new Run(planOf(["a", "b"], { aggregationWeights: { b: 2 } }));
    run.open(0);
    run.add(updateOf("a", 0));
    const aggregate = run.add(updateOf("b", 0)).find((effect) => effect.type === "aggregate");
    expect(aggregate?.contributions.map(({ weight }) => weight)).toEqual([10, 20]);
  });

  it("goes on with the new model, and ends after the last round with the last model", () => {
    const run = new Run(planOf(["a"]));
    run.open(0);
    run.add(updateOf("a", 0));
    expect(run.close(0, ["a"], 1)).toEqual([
      { type: "open-round", round: 1, task: "train", model: objectNumber(1), sites: ["a"], totalRounds: 2 },
    ]);
    run.open(1, 1);
    run.add(updateOf("a", 1));
    expect(run.close(1, ["a"], 2)).toEqual([{ type: "end", model: objectNumber(2), reason: "all 2 rounds are done" }]);
    expect(run.add({ type: "workflow-ended", model: objectNumber(2), reason: "done" })).toEqual([
      { type: "finish", model: objectNumber(2), reason: "done" },
    ]);
    expect(run.add({ type: "job-ended", status: "FINISHED:COMPLETED", reason: "done" })).toEqual([]);
    expect(run.wanted).toEqual([]);
  });

  it("counts rounds from start_round", () => {
    const run = new Run(planOf(["a"], { startRound: 5, numRounds: 1 }));
    run.open(5);
    run.add(updateOf("a", 5));
    expect(types(run.close(5, ["a"], 1))).toEqual(["end"]);
  });

  describe("quorum and deadline", () => {
    it("waits after the quorum for as long as the quorum took, but at least for the set time", () => {
      const quick = new Run(planOf(["a", "b"], { minClients: 1 }));
      quick.open(0, 0, 1000);
      expect(quick.add(updateOf("a", 0), 1500)).toContainEqual({ type: "set-deadline", round: 0, atMs: 11_500, mostMs: 10_500 });
      const slow = new Run(planOf(["a", "b"], { minClients: 1 }));
      slow.open(0, 0, 1000);
      expect(slow.add(updateOf("a", 0), 61_000)).toContainEqual({ type: "set-deadline", round: 0, atMs: 121_000, mostMs: 120_000 });
    });

    it("sets no deadline below the quorum", () => {
      const run = new Run(planOf(["a", "b", "c"], { minClients: 2 }));
      run.open(0);
      expect(types(run.add(updateOf("a", 0)))).toEqual(["fold"]);
    });

    describe("that the job leaves to what is measured", () => {
      const measured = { minClients: 1, waitAfterMinReceivedMs: undefined, numRounds: 9 };

      /** Plays a round that opens at 0 of its own time; gives the deadlines that it had, of that time. */
      function round(run: Run, number: number, answers: Readonly<Record<string, number>>, closesAtMs: number): number[] {
        const startMs = number * 1_000_000;
        const effects = [...run.open(number, number, startMs)];
        const inOrder = Object.entries(answers).toSorted(([, one], [, other]) => one - other);
        for (const [site, atMs] of inOrder) effects.push(...run.add(updateOf(site, number), startMs + atMs));
        if (inOrder.length < 2) run.add({ type: "deadline-passed", round: number }, startMs + closesAtMs);
        run.close(number, Object.keys(answers).toSorted(), number + 1);
        return effects.flatMap((effect) => (effect.type === "set-deadline" ? [effect.atMs - startMs] : []));
      }

      it("gives the others as long as the quorum took while nothing is known of them, and 10 s at least", () => {
        const run = new Run(planOf(["a", "b"], measured));
        expect(round(run, 0, { a: 60_000 }, 120_000)).toEqual([120_000]);
        expect(round(new Run(planOf(["a", "b"], measured)), 0, { a: 500 }, 10_500)).toEqual([10_500]);
      });

      it("waits for a slow site for twice as long as it took before, also before there is a quorum", () => {
        const run = new Run(planOf(["a", "b"], measured));
        round(run, 0, { a: 20_000, b: 38_000 }, 0);
        expect(round(run, 1, { a: 20_000, b: 30_000 }, 0)).toEqual([76_000]);
        expect(round(run, 2, { a: 20_000, b: 50_000 }, 0)).toEqual([76_000]);
        expect(round(run, 3, { a: 20_000, b: 50_000 }, 0)).toEqual([100_000]);
      });

      it("gives a site that missed a round twice and four times the time of the others, and then no more", () => {
        const run = new Run(planOf(["a", "b"], measured));
        round(run, 0, { a: 20_000, b: 20_000 }, 0);
        expect(round(run, 1, { a: 20_000 }, 40_000)).toEqual([40_000]);
        expect(round(run, 2, { a: 20_000 }, 80_000)).toEqual([80_000]);
        expect(round(run, 3, { a: 20_000 }, 160_000)).toEqual([160_000]);
        expect(round(run, 4, { a: 20_000 }, 40_000)).toEqual([40_000]);
        round(run, 5, { a: 20_000, b: 21_000 }, 0);
        expect(round(run, 6, { a: 20_000, b: 21_000 }, 0)).toEqual([42_000]);
      });

      it("stands after a replay where it stood before", () => {
        const run = new Run(planOf(["a", "b"], measured));
        round(run, 0, { a: 20_000, b: 38_000 }, 0);
        run.open(1, 1, 1_000_000);
        expect(run.replayed()).toEqual(run.wanted);
        expect(run.wanted).toContainEqual({ type: "set-deadline", round: 1, atMs: 1_076_000, mostMs: 76_000 });
      });
    });

    it("counts train_timeout from the opening of the round", () => {
      const run = new Run(planOf(["a", "b"], { minClients: 1, trainTimeoutMs: 60_000, waitAfterMinReceivedMs: undefined }));
      expect(run.open(0, 0, 1000)).toContainEqual({ type: "set-deadline", round: 0, atMs: 61_000, mostMs: 60_000 });
      expect(types(run.add(updateOf("a", 0)))).toEqual(["fold"]);
    });

    it("takes the earlier one where both clocks are set", () => {
      const run = new Run(planOf(["a", "b"], { minClients: 1, trainTimeoutMs: 60_000, waitAfterMinReceivedMs: 5_000 }));
      run.open(0, 0, 1000);
      expect(run.add(updateOf("a", 0), 2000)).toContainEqual({ type: "set-deadline", round: 0, atMs: 7_000, mostMs: 6_000 });
    });

    it("closes at the deadline with those that answered, and tells the others", () => {
      const run = new Run(planOf(["a", "b", "c"], { minClients: 2 }));
      run.open(0);
      run.add(updateOf("a", 0));
      run.add(updateOf("c", 0));
      const effects = run.add({ type: "deadline-passed", round: 0 });
      expect(contributorsIn(effects)).toEqual(["a", "c"]);
      expect(effects).toContainEqual(expect.objectContaining({ type: "aggregate", missing: ["b"] }));
      expect(types(run.close(0, ["a", "c"], 1))).toEqual(["close-task", "open-round"]);
    });

    it("closes at the moment of the quorum when the deadline has passed before", () => {
      const run = new Run(planOf(["a", "b", "c"], { minClients: 2, trainTimeoutMs: 10 }));
      run.open(0);
      run.add(updateOf("a", 0));
      expect(run.add({ type: "deadline-passed", round: 0 })).toEqual([]);
      expect(contributorsIn(run.add(updateOf("b", 0)))).toEqual(["a", "b"]);
    });

    it("does not wait for sites that cannot answer any more", () => {
      const run = new Run(planOf(["a", "b", "c"], { minClients: 1 }));
      run.open(0);
      run.add(updateOf("a", 0));
      run.add(failureOf("b", 0));
      expect(contributorsIn(run.add(leftOf("c")))).toEqual(["a"]);
    });

    it("ignores a deadline of another round", () => {
      const run = new Run(planOf(["a", "b"], { minClients: 1 }));
      run.open(0);
      run.add(updateOf("a", 0));
      expect(run.add({ type: "deadline-passed", round: 1 })).toEqual([]);
    });
  });

  describe("failures", () => {
    it("fails with the sites and the first error when the quorum cannot be reached any more", () => {
      const run = new Run(planOf(["a", "b", "c"], { minClients: 2 }));
      run.open(0);
      run.add(failureOf("c", 0, "out of memory"));
      const [effect] = run.add(leftOf("a"));
      expect(effect).toMatchObject({
        type: "fail",
        error: {
          code: "runtime/quorum-lost",
          message: "Round 0 needs answers of 2 sites, and only 1 can answer. Failed: c, a. The first error was that of c: out of memory",
        },
      });
    });

    it("counts the answer of a site that left afterwards", () => {
      const run = new Run(planOf(["a", "b"], { minClients: 2 }));
      run.open(0);
      run.add(updateOf("a", 0));
      run.add(leftOf("a"));
      expect(contributorsIn(run.add(updateOf("b", 0)))).toEqual(["a", "b"]);
    });

    it("fails between rounds when too few sites are left", () => {
      const run = new Run(planOf(["a", "b"], { minClients: 2 }));
      expect(types(run.add(leftOf("b")))).toEqual(["fail"]);
    });

    it("draws no site that left", () => {
      const run = new Run(planOf(["a", "b", "c"], { minClients: 2 }));
      run.add(leftOf("b"));
      expect(run.wanted).toEqual([expect.objectContaining({ type: "open-round", sites: ["a", "c"] })]);
    });

    it("fails when a mandatory site leaves", () => {
      const run = new Run(planOf(["a", "b", "c"], { minClients: 1 }, { mandatoryClients: ["b"] }));
      run.open(0);
      expect(run.add(leftOf("b"))).toEqual([
        expect.objectContaining({ type: "fail", error: expect.objectContaining({ code: "runtime/mandatory-site-lost" }) }),
      ]);
    });

    it("goes on without an answer that proves to be unusable, even while the round is closing", () => {
      const run = new Run(planOf(["a", "b"], { minClients: 1 }));
      run.open(0);
      run.add(updateOf("a", 0));
      run.add(updateOf("b", 0));
      expect(contributorsIn(run.add(failureOf("a", 0, "NaN")))).toEqual(["b"]);
    });

    it("takes up answers that came while the round was closing when it has to be judged anew", () => {
      const run = new Run(planOf(["a", "b", "c"], { minClients: 2 }));
      run.open(0);
      run.add(updateOf("a", 0));
      run.add(updateOf("b", 0));
      run.add({ type: "deadline-passed", round: 0 });
      expect(run.add(updateOf("c", 0))).toEqual([]);
      expect(contributorsIn(run.add(failureOf("b", 0, "NaN")))).toEqual(["a", "c"]);
    });

    it("does not mind a site that is away for a while", () => {
      const run = new Run(planOf(["a", "b"]));
      run.open(0);
      const before = run.state;
      run.add({ type: "site-disconnected", site: "a", reason: "silence" });
      run.add({ type: "site-connected", site: "a" });
      expect(run.state).toBe(before);
    });
  });

  describe("late and repeated events", () => {
    it("counts the first answer of a site only", () => {
      const run = new Run(planOf(["a", "b"]));
      run.open(0);
      run.add(updateOf("a", 0));
      expect(run.add({ ...updateOf("a", 0), weight: 99 })).toEqual([]);
      expect(run.add(updateOf("a", 1))).toEqual([]);
      expect(run.add({ ...updateOf("b", 0), task: "validate" })).toEqual([]);
      expect(run.add(updateOf("stranger", 0))).toEqual([]);
      const aggregate = run.add(updateOf("b", 0)).find((effect) => effect.type === "aggregate");
      expect(aggregate?.contributions.map(({ weight }) => weight)).toEqual([10, 10]);
    });

    it("changes nothing for an answer to a closed round", () => {
      const run = new Run(planOf(["a", "b"], { minClients: 1 }));
      run.open(0);
      run.add(updateOf("a", 0));
      run.add({ type: "deadline-passed", round: 0 });
      run.close(0, ["a"], 1);
      run.open(1, 1);
      const before = run.state;
      run.add(updateOf("b", 0));
      expect(run.state).toBe(before);
    });

    it("opens and closes a round once", () => {
      const run = new Run(planOf(["a"], { numRounds: 3 }));
      run.open(0);
      expect(run.open(0)).toEqual([]);
      run.add(updateOf("a", 0));
      run.close(0, ["a"], 1);
      expect(run.close(0, ["a"], 1)).toEqual([]);
      expect(run.open(2)).toEqual([]);
    });
  });

  describe("best model and early end", () => {
    const round = (run: Run, number: number, accuracy: number): readonly WorkflowEffect[] => {
      run.open(number, number);
      run.add(updateOf("a", number, { accuracy }));
      return run.close(number, ["a"], number + 1, { accuracy });
    };

    it("takes the model that a round started from as the one that its metrics judge", () => {
      const run = new Run(planOf(["a"], { numRounds: 4 }));
      expect(round(run, 0, 0.5)[0]).toEqual({ type: "save-best", round: 0, model: objectNumber(0), metric: "accuracy", value: 0.5 });
      run.saveBest();
      expect(round(run, 1, 0.9)[0]).toEqual({ type: "save-best", round: 1, model: objectNumber(1), metric: "accuracy", value: 0.9 });
      run.saveBest();
      expect(types(round(run, 2, 0.9))).toEqual(["open-round"]);
    });

    it("takes the lowest value where lower is better", () => {
      const run = new Run(planOf(["a"], { numRounds: 4, isKeyMetricNegated: true }));
      round(run, 0, 0.5);
      run.saveBest();
      expect(types(round(run, 1, 0.6))).toEqual(["open-round"]);
      expect(types(round(run, 2, 0.4))).toEqual(["save-best", "open-round"]);
    });

    it("ends when the stop condition comes true", () => {
      const run = new Run(planOf(["a"], { numRounds: 4, stopCondition: { metric: "accuracy", comparison: ">=", value: 0.95 } }));
      round(run, 0, 0.9);
      run.saveBest();
      expect(round(run, 1, 0.96)).toEqual([
        { type: "save-best", round: 1, model: objectNumber(1), metric: "accuracy", value: 0.96 },
        { type: "end", model: objectNumber(2), reason: "accuracy >= 0.95 came true in round 1 with 0.96" },
      ]);
    });

    it("ends when patience is used up", () => {
      const run = new Run(planOf(["a"], { numRounds: 9, patience: 2 }));
      round(run, 0, 0.9);
      run.saveBest();
      round(run, 1, 0.8);
      expect(round(run, 2, 0.85)).toEqual([{ type: "end", model: objectNumber(3), reason: "no better accuracy than 0.9 in 2 rounds" }]);
    });

    it("judges nothing where nobody reports the metric", () => {
      const run = new Run(planOf(["a"], { numRounds: 3, patience: 1, keyMetric: "f1" }));
      expect(types(round(run, 0, 0.9))).toEqual(["open-round"]);
      expect(types(round(run, 1, 0.9))).toEqual(["open-round"]);
    });
  });
});

/** A machine with its journal. */
class Run {
  state: RoundState;
  readonly #machine: ReturnType<typeof roundMachine>;
  readonly #journal = new Journal();

  constructor(plan: RoundPlan) {
    this.#machine = roundMachine(plan);
    this.state = this.#machine.initial;
  }

  get wanted(): readonly WorkflowEffect[] {
    return this.#machine.outstanding(this.state);
  }

  add(event: JobEvent, atMs?: number): readonly WorkflowEffect[] {
    const { state, effects } = advance(this.#machine, this.state, this.#journal.add(event, atMs));
    this.state = state;
    return effects;
  }

  open(round: number, model = 0, atMs?: number): readonly WorkflowEffect[] {
    const open = this.wanted.find((effect) => effect.type === "open-round");
    return this.add(
      { type: "round-opened", round, task: "train", model: objectNumber(model), sites: open?.sites ?? [], totalRounds: 2 },
      atMs,
    );
  }

  close(
    round: number,
    contributors: readonly string[],
    model: number,
    metrics: Readonly<Record<string, number>> = {},
  ): readonly WorkflowEffect[] {
    return this.add({
      type: "round-closed",
      round,
      contributors,
      missing: [],
      model: objectNumber(model),
      metrics,
      bytes: 0,
      aggregationSeconds: 0,
    });
  }

  /** What another process wants that reads the journal from its start. */
  replayed(): readonly WorkflowEffect[] {
    let state = this.#machine.initial;
    for (const entry of this.#journal.entries) state = this.#machine.step(state, entry);
    return this.#machine.outstanding(state);
  }

  saveBest(): void {
    const best = this.wanted.find((effect) => effect.type === "save-best");
    if (best !== undefined) this.add({ ...best, type: "best-model" });
  }
}

function types(effects: readonly WorkflowEffect[]): string[] {
  return effects.map(({ type }) => type);
}

function contributorsIn(effects: readonly WorkflowEffect[]): string[] | undefined {
  const aggregate = effects.find((effect) => effect.type === "aggregate");
  return aggregate?.contributions.map(({ site }) => site);
}
