import { describe, expect, it } from "vitest";
import { carryOut, type ReferenceModel, type ReferenceState } from "./carry-out.reference.js";
import { fedAvgM } from "./fed-avg-m.js";
import { type FedOptSettings, fedOpt } from "./fed-opt.js";
import { printedAlgorithm, type ReferenceOptimizer, torchAdagrad, torchAdam, torchSgd } from "./fed-opt.reference.js";
import { sampleValues, seeded } from "./sample-round.test-support.js";
import type { Strategy } from "./strategy.js";

/** Made with torch 1.13 in float64. */
const torchValues: readonly { readonly strategy: Strategy; readonly expected: readonly number[] }[] = [
  { strategy: fedOpt({ optimizer: "sgd", learningRate: 0.7, momentum: 0.6 }), expected: [0.426, -0.17925] },
  {
    strategy: fedOpt({ optimizer: "adam", learningRate: 0.1, beta2: 0.999, tau: 1e-8, biasCorrection: true }),
    expected: [1.13720294834564, -0.9970109177889656],
  },
  {
    strategy: fedOpt({ optimizer: "adagrad", learningRate: 0.1, tau: 1e-10, initialVariance: 0 }),
    expected: [1.0274171572566078, -0.9969334746287767],
  },
];

const rounds = 30;
const elements = 12;

/**
 * Runs rounds with one contributor, whose change is then the mean, and gives the largest difference of an element from what the
 * reference makes of it, as a multiple of what is allowed: a few roundings of float64, as the formulas take their operations in
 * another order, and of float32 in the state where one of them falls to the other side of a tie.
 */
function largestDifference(strategy: Strategy, optimizer: () => ReferenceOptimizer): number {
  const next = seeded(7);
  const optimizers = Array.from({ length: elements }, optimizer);
  let largest = 0;
  let model: ReferenceModel = { w: sampleValues(next, elements) };
  let state: ReferenceState | undefined;
  for (let round = 0; round < rounds; round++) {
    // An element that stands still belongs to it: nothing may be divided by zero.
    const change = sampleValues(next, elements).map((value, e) => (e === 0 ? 0 : value));
    const updates = [{ contributor: "a", weight: 3, tensors: { w: change } }];
    const result = carryOut(strategy, { base: model, updates, paramsType: "DIFF", ...(state === undefined ? {} : { state }) });
    for (let e = 0; e < elements; e++) {
      const before = model["w"]?.[e] ?? Number.NaN;
      const expected = optimizers[e]?.(before, (3 * (change[e] ?? Number.NaN)) / 3) ?? Number.NaN;
      const difference = Math.abs((result.model["w"]?.[e] ?? Number.NaN) - expected);
      if (difference === 0) continue;
      largest = Math.max(largest, difference / (2 ** -22 * Math.abs(expected - before) + 2 ** -50 * Math.abs(before)));
    }
    ({ model, state } = result);
  }
  return largest;
}

describe("fedOpt", () => {
  const { eta, ...paper } = { eta: 0.03, beta1: 0.9, beta2: 0.99, tau: 1e-3 };

  it.each(["adam", "yogi"] as const)("is Algorithm 2 of the paper with %s and the paper's defaults", (optimizer) => {
    expect(
      largestDifference(fedOpt({ optimizer, learningRate: eta }), () => printedAlgorithm(optimizer, { eta, ...paper })),
    ).toBeLessThanOrEqual(1);
  });

  it("is Algorithm 2 of the paper with adagrad, without momentum unless it is asked for", () => {
    const plain = fedOpt({ optimizer: "adagrad", learningRate: eta });
    expect(plain.step?.stateNames).toEqual(["variance"]);
    expect(largestDifference(plain, () => printedAlgorithm("adagrad", { eta, ...paper, beta1: 0 }))).toBeLessThanOrEqual(1);
    expect(
      largestDifference(fedOpt({ optimizer: "adagrad", learningRate: eta, beta1: 0.5 }), () =>
        printedAlgorithm("adagrad", { eta, ...paper, beta1: 0.5 }),
      ),
    ).toBeLessThanOrEqual(1);
  });

  it("is torch's Adam on the pseudo-gradient with bias correction and torch's settings", () => {
    const settings = { optimizer: "adam", learningRate: eta, beta2: 0.999, tau: 1e-8, biasCorrection: true } as const;
    expect(largestDifference(fedOpt(settings), () => torchAdam({ lr: eta, betas: [0.9, 0.999], eps: 1e-8 }))).toBeLessThanOrEqual(1);
  });

  it.each([0, 0.6])("is torch's SGD on the pseudo-gradient with momentum %s", (momentum) => {
    expect(
      largestDifference(fedOpt({ optimizer: "sgd", learningRate: 0.7, momentum }), () => torchSgd({ lr: 0.7, momentum })),
    ).toBeLessThanOrEqual(1);
  });

  it("is torch's Adagrad on the pseudo-gradient with torch's settings", () => {
    expect(
      largestDifference(fedOpt({ optimizer: "adagrad", learningRate: eta, tau: 1e-10, initialVariance: 0 }), () =>
        torchAdagrad({ lr: eta, eps: 1e-10 }),
      ),
    ).toBeLessThanOrEqual(1);
  });

  it("gives the values that torch gave", () => {
    // Two elements, three rounds of x.grad = -change; x.step(), in float64.
    const changes = [
      [0.5, -0.25],
      [0.125, 1],
      [-2, 0.0625],
    ];
    for (const { strategy, expected } of torchValues) {
      let result: { model: ReferenceModel; state?: ReferenceState } = { model: { w: [1, -1] } };
      for (const change of changes) {
        const updates = [{ contributor: "a", weight: 1, tensors: { w: change } }];
        result = carryOut(strategy, { base: result.model, updates, paramsType: "DIFF", ...(result.state ? { state: result.state } : {}) });
      }
      for (const [e, value] of expected.entries()) {
        // The state is float32 between rounds.
        expect(Math.abs((result.model["w"]?.[e] ?? Number.NaN) - value)).toBeLessThan(1e-7);
      }
    }
  });

  it("plainly averages running statistics and integers, or the tensors that are named", () => {
    const base = { w: [0], "bn.running_mean": [0], "bn.running_var": [0], "bn.num_batches_tracked": [0], steps: [0] };
    const tensors = { w: [2], "bn.running_mean": [2], "bn.running_var": [2], "bn.num_batches_tracked": [2], steps: [2] };
    const after = (plainTensors?: readonly string[]): ReferenceModel => {
      const strategy = fedOpt({ optimizer: "sgd", learningRate: 0.5, ...(plainTensors === undefined ? {} : { plainTensors }) });
      const updates = [{ contributor: "a", weight: 1, tensors }];
      return carryOut(strategy, { base, updates, paramsType: "DIFF", integers: ["steps"] }).model;
    };
    expect(after()).toEqual({ w: [1], "bn.running_mean": [2], "bn.running_var": [2], "bn.num_batches_tracked": [2], steps: [2] });
    expect(after(["w"])).toEqual({ w: [2], "bn.running_mean": [1], "bn.running_var": [1], "bn.num_batches_tracked": [1], steps: [2] });
  });

  it("does the same to an element in any block", () => {
    const strategy = fedOpt({ optimizer: "yogi", learningRate: 0.1 });
    const change = Float64Array.of(1, -2, 3, -4);
    const block = (from: number, to: number) => ({
      tensor: "w",
      firstElement: from,
      change: change.slice(from, to),
      base: new Float64Array(to - from),
      state: [new Float64Array(to - from).fill(0.5), new Float64Array(to - from).fill(-0.25)],
      stepNumber: 4,
    });
    const whole = block(0, 4);
    const parts = [block(0, 1), block(1, 4)];
    for (const each of [whole, ...parts]) strategy.step?.apply(each);
    expect(parts.flatMap((part) => [...part.change])).toEqual([...whole.change]);
    expect(parts.flatMap((part) => [...(part.state[0] ?? [])])).toEqual([...(whole.state[0] ?? [])]);
  });

  it("shows all its settings, defaults too", () => {
    expect(fedOpt({ optimizer: "adam", learningRate: 0.1, plainTensors: ["a", "b"] })).toMatchObject({
      name: "fed-adam",
      settings: {
        learningRate: 0.1,
        beta1: 0.9,
        beta2: 0.99,
        tau: 0.001,
        initialVariance: 1e-6,
        biasCorrection: false,
        plainTensors: "a,b",
      },
    });
  });

  it.each([
    [{ optimizer: "sgd" }, /"learningRate" of fed-avg-m is missing/],
    [{ optimizer: "sgd", learningRate: 0 }, /"learningRate" of fed-avg-m is 0; it must be a number above 0 and at most 1000/],
    [{ optimizer: "sgd", learningRate: 1, momentum: 1 }, /"momentum" of fed-avg-m is 1; it must be a number of at least 0 and below 1/],
    [{ optimizer: "sgd", learningRate: 1, beta1: 0.9 }, /fed-avg-m has no setting "beta1"/],
    [{ optimizer: "yogi", learningRate: 1, biasCorrection: true }, /fed-yogi has no setting "biasCorrection"/],
    [{ optimizer: "adam", learningRate: 1, beta2: -0.1 }, /"beta2" of fed-adam is -0\.1/],
    [{ optimizer: "adam", learningRate: 1, tau: 0 }, /"tau" of fed-adam is 0; it must be a number above 0 and at most 1/],
    [{ optimizer: "adam", learningRate: 1, biasCorrection: true, initialVariance: 1 }, /"initialVariance" of fed-adam is 1/],
    [{ optimizer: "adamw", learningRate: 1 }, /"optimizer" of fedOpt is "adamw"/],
    [{ optimizer: "adam", learningRate: 1, plainTensors: [1] }, /"plainTensors" of fed-adam is a list/],
  ])("refuses %o", (settings, message) => {
    expect(() => fedOpt(settings as unknown as FedOptSettings)).toThrow(
      expect.objectContaining({ code: "aggregate/strategy-invalid", message: expect.stringMatching(message) }),
    );
  });
});

describe("fedAvgM", () => {
  it("is fedOpt with SGD and the paper's momentum of 0.9", () => {
    expect(fedAvgM()).toMatchObject({ name: "fed-avg-m", settings: { learningRate: 1, momentum: 0.9 } });
    expect(largestDifference(fedAvgM(), () => torchSgd({ lr: 1, momentum: 0.9 }))).toBeLessThanOrEqual(1);
    expect(
      largestDifference(fedAvgM({ momentum: 0.5, learningRate: 0.1 }), () => torchSgd({ lr: 0.1, momentum: 0.5 })),
    ).toBeLessThanOrEqual(1);
  });

  it("takes a setting of undefined as not given", () => {
    expect(fedAvgM({ momentum: undefined }).settings).toEqual({ learningRate: 1, momentum: 0.9 });
  });
});
