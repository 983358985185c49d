import { describe, expect, it } from "vitest";
import type { JobEvent } from "../job/job-event.js";
import { stepTask } from "../secure-aggregation/step-tasks.js";
import { Journal, leftOf, objectNumber, planOf, updateOf } from "./round-plan.test-support.js";
import { secureRoundMachine } from "./secure-round-machine.js";
import type { SecureRoundState } from "./secure-round-state.js";
import { advance, type WorkflowEffect } from "./workflow-machine.js";

const sites = ["a", "b", "c"];
type Step = "keys" | "mask" | "confirm" | "reveal";

/** A workflow whose rounds nobody reads, with a driver by hand. */
class Run {
  readonly #machine = secureRoundMachine({
    ...planOf(sites, { minClients: 2, numRounds: 2, waitAfterMinReceivedMs: undefined, trainTimeoutMs: 60_000 }),
    secure: { minSites: 2, maxWeight: 10, stepTimeoutMs: 1000 },
  });
  readonly #journal = new Journal();
  #state: SecureRoundState = this.#machine.initial;

  get wanted(): readonly WorkflowEffect[] {
    return this.#machine.outstanding(this.#state);
  }

  add(event: JobEvent): readonly WorkflowEffect[] {
    const { state, effects } = advance(this.#machine, this.#state, this.#journal.add(event));
    this.#state = state;
    return effects;
  }

  open(step: Step, attempt = 0, of = sites): readonly WorkflowEffect[] {
    const task = stepTask("train", step, attempt);
    return this.add({ type: "step-opened", round: 0, task, step, attempt, document: objectNumber(50), sites: of });
  }

  answer(step: Step, attempt: number, ...of: readonly string[]): readonly WorkflowEffect[] {
    const task = stepTask("train", step, attempt);
    return of.flatMap((site) => this.add({ type: "step-answered", round: 0, task, site, update: objectNumber(60 + sites.indexOf(site)) }));
  }

  pass(step: Step, attempt = 0): readonly WorkflowEffect[] {
    return this.add({ type: "deadline-passed", round: 0, task: stepTask("train", step, attempt) });
  }

  /** Up to the moment at which all sites have handed their masked update in. */
  train(): readonly WorkflowEffect[] {
    this.open("keys");
    this.answer("keys", 0, ...sites);
    this.add({ type: "round-opened", round: 0, task: "train", model: objectNumber(0), sites, totalRounds: 2, roster: objectNumber(7) });
    return sites.flatMap((site) => this.add(updateOf(site, 0)));
  }
}

describe("secure round machine", () => {
  it("asks for keys before the first round, and opens it with those that came until their deadline", () => {
    const run = new Run();
    expect(run.wanted).toMatchObject([{ type: "open-step", task: "train.secure-keys", step: "keys", sites }]);
    expect(run.open("keys")).toMatchObject([
      { type: "assign", sites },
      { type: "set-deadline", task: "train.secure-keys" },
    ]);
    run.answer("keys", 0, "a", "b");
    expect(run.pass("keys")).toMatchObject([
      {
        type: "open-round",
        sites: ["a", "b"],
        keys: [
          ["a", objectNumber(60)],
          ["b", objectNumber(61)],
        ],
      },
    ]);
  });

  it("gives sites the keys with the model, has all of them confirm, and adds what all have revealed", () => {
    const run = new Run();
    const assigned = run.train().find(({ type }) => type === "open-step");
    expect(assigned).toMatchObject({ step: "confirm", attempt: 0, sites });
    run.open("confirm");
    expect(run.answer("confirm", 0, ...sites)).toMatchObject([{ type: "open-step", step: "reveal", attempt: 0, sites }]);
    run.open("reveal");
    expect(run.answer("reveal", 0, "a", "b")).toEqual([]);
    expect(run.answer("reveal", 0, "c")).toMatchObject([
      { type: "unmask", round: 0, masked: sites, contributions: sites.map((site) => ({ site })), missing: [] },
    ]);
  });

  it("has the others mask anew without a site that does not confirm in time, and counts what they hand in then", () => {
    const run = new Run();
    run.train();
    run.open("confirm");
    run.answer("confirm", 0, "a", "c");
    const rest = ["a", "c"];
    expect(run.pass("confirm")).toMatchObject([
      { type: "close-task", task: "train.secure-confirm-0" },
      {
        type: "open-step",
        step: "mask",
        attempt: 1,
        sites: rest,
        of: {
          kind: "roster",
          keys: [
            ["a", objectNumber(60)],
            ["c", objectNumber(62)],
          ],
        },
      },
    ]);
    run.open("mask", 1, rest);
    expect(run.answer("mask", 1, "a", "c").filter(({ type }) => type === "open-step")).toMatchObject([
      {
        step: "confirm",
        attempt: 1,
        sites: rest,
        of: {
          contributions: [
            { site: "a", update: objectNumber(60) },
            { site: "c", update: objectNumber(62) },
          ],
        },
      },
    ]);
    run.open("confirm", 1, rest);
    run.answer("confirm", 1, ...rest);
    run.open("reveal", 1, rest);
    expect(run.answer("reveal", 1, ...rest)).toMatchObject([{ type: "unmask", masked: rest, missing: ["b"] }]);
  });

  it("does not wait for a site that has left the job, though it has confirmed", () => {
    const run = new Run();
    run.train();
    run.open("confirm");
    run.answer("confirm", 0, "a");
    expect(run.add(leftOf("a")).filter(({ type }) => type === "open-step")).toMatchObject([{ step: "mask", sites: ["b", "c"] }]);
  });

  it("loses a round in which a site does not reveal in time, and goes on with the model that it had", () => {
    const run = new Run();
    run.train();
    run.open("confirm");
    run.answer("confirm", 0, ...sites);
    run.open("reveal");
    run.answer("reveal", 0, "a", "b");
    expect(run.pass("reveal")).toMatchObject([
      { type: "close-task" },
      { type: "close-round", round: 0, model: objectNumber(0), contributions: [], missing: sites },
    ]);
    const closed = { contributors: [], missing: sites, model: objectNumber(0), metrics: {}, bytes: 0, aggregationSeconds: 0 };
    expect(run.add({ type: "round-closed", round: 0, ...closed })).toMatchObject([
      { type: "open-round", round: 1, model: objectNumber(0), sites },
    ]);
  });

  it("ends the job when too few are left for a sum", () => {
    const run = new Run();
    run.train();
    run.open("confirm");
    run.answer("confirm", 0, "a");
    expect(run.pass("confirm")).toMatchObject([{ type: "fail", error: { code: "runtime/quorum-lost" } }]);
  });
});
