// Linear regression on data that each site makes for itself. One site takes so many times as long as the others.
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import * as flare from "@flare-ts/runtime/client";

const { values } = parseArgs({
  options: {
    "slow-site": { type: "string", default: "site-1" },
    seconds: { type: "string", default: "0.2" },
    times: { type: "string", default: "10" },
  },
});

const [dimensions, samples, steps, rate] = [8, 120, 3, 0.06];

/** Numbers from -1 to 1, the same for the same seed (mulberry32). */
function numbersFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let z = Math.imul(state ^ (state >>> 15), state | 1);
    z ^= z + Math.imul(z ^ (z >>> 7), z | 61);
    return ((z ^ (z >>> 14)) >>> 0) / 2 ** 31 - 1;
  };
}

await flare.init();
const site = flare.getSiteName();
const next = numbersFrom(Array.from(site).reduce((sum, letter) => Math.imul(sum, 31) + letter.charCodeAt(0), 7));
/** What sites have in common, and what each has of its own. */
const truth = Array.from({ length: dimensions }, (_, i) => i / 2 - 1 + 0.2 * next());
const inputs = Array.from({ length: samples }, () => truth.map(() => next()));
const outputs = inputs.map((x) => dot(x, truth) + 0.1 * next());

while (await flare.isRunning()) {
  const model = await flare.receive();
  const tensor = model?.params?.["weight"];
  if (tensor === undefined) break;
  const weight = Array.from(tensor.data, Number);
  const loss = errorsOf(weight).reduce((sum, error) => sum + error ** 2, 0) / samples;
  if (flare.isEvaluate()) {
    await flare.send(new flare.FLModel({ metrics: { loss } }));
    continue;
  }
  for (let step = 0; step < steps; step++) {
    const errors = errorsOf(weight);
    for (let i = 0; i < dimensions; i++) {
      const slope = errors.reduce((sum, error, row) => sum + error * (inputs[row]?.[i] ?? 0), 0) / samples;
      weight[i] = (weight[i] ?? 0) - 2 * rate * slope;
    }
  }
  await sleep(1000 * Number(values.seconds) * (site === values["slow-site"] ? Number(values.times) : 1));
  await flare.send(
    new flare.FLModel({
      params: { weight: { ...tensor, data: Float32Array.from(weight) } },
      metrics: { loss },
      meta: { NUM_STEPS_CURRENT_ROUND: samples },
    }),
  );
}
flare.shutdown();

function errorsOf(weight: readonly number[]): number[] {
  return inputs.map((x, row) => dot(x, weight) - (outputs[row] ?? 0));
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, i) => sum + value * (b[i] ?? 0), 0);
}
