/** Languages that the trainers of a chaos job can be written in. */
export const trainerLanguages = ["typescript", "python"] as const;

export type TrainerLanguage = (typeof trainerLanguages)[number];

/** How the name of a chaos job's training script begins, by which its process is found. */
export const trainScriptStem = "train.";

const typescript = `import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import * as flare from "@flare-ts/runtime/client";

const [trainMs = "0", unevenMs = "0"] = process.argv.slice(2);
await flare.init();
const site = flare.getSiteName();
const { stateFolder = "." } = flare.systemInfo();

/** The site's control variates from before a round, which a trainer that is started anew needs too. */
const ownBefore = (model: flare.FLModel, length: number): Float32Array => {
  if (model.currentRound === model.startRound) return new Float32Array(length);
  return new Float32Array(Uint8Array.from(readFileSync(join(stateFolder, "own-" + model.currentRound))).buffer);
};
const keepOwn = (round: number, own: Float32Array): void => {
  const file = join(stateFolder, "own-" + round);
  writeFileSync(file + ".part", new Uint8Array(own.buffer));
  renameSync(file + ".part", file);
};

while (await flare.isRunning()) {
  const model = await flare.receive();
  if (model === undefined) break;
  let state = [...(site + "/" + model.currentRound)].reduce((sum, letter) => (Math.imul(sum, 31) + letter.charCodeAt(0)) | 0, 7);
  await sleep(Number(trainMs) + (Number(unevenMs) * ((state >>> 0) % 8)) / 7);
  const tensor = model.params.weight;
  if (flare.isEvaluate()) {
    await flare.send(new flare.FLModel({ metrics: { mean: tensor.data.reduce((sum, value) => sum + value, 0) / tensor.data.length } }));
    continue;
  }
  // A step that depends on the model, the round and the site, and on nothing else.
  const data = tensor.data.map((value) => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return 0.9 * value + state / 2 ** 33;
  });
  const mean = data.reduce((sum, value) => sum + value, 0) / data.length;
  const answer = { params: { weight: { ...tensor, data } }, paramsType: "FULL", metrics: { mean }, meta: { NUM_STEPS_CURRENT_ROUND: 10 + site.length } } as const;
  const control = model.controlVariates?.weight;
  if (control === undefined) await flare.send(new flare.FLModel(answer));
  else {
    const before = ownBefore(model, data.length);
    const own = before.map((value, i) => value - control.data[i] + 0.1 * (tensor.data[i] - data[i]));
    keepOwn(model.currentRound + 1, own);
    const changes = { weight: { ...control, data: own.map((value, i) => value - before[i]) } };
    await flare.send(new flare.FLModel({ ...answer, controlChanges: changes }));
  }
}
flare.shutdown();
`;

const python = `import os
import sys
import time

import flare_client as flare
import numpy as np

train_ms, uneven_ms = (float(argument) for argument in sys.argv[1:])
flare.init()
site = flare.get_site_name()
state_folder = flare.system_info()["state_folder"] or "."


def own_file(number):
    """The site's control variates from before a round, which a trainer that is started anew needs too."""
    return os.path.join(state_folder, f"own-{number}.npy")


def first_state(text):
    """Where the numbers begin of the step that a site makes in a round."""
    state = 7
    for letter in text:
        state = (31 * state + ord(letter)) % 2**32
    return state


def step_of(state, size):
    """A linear congruential generator's next numbers, the same as those of the trainer in TypeScript; of each power and sum, 32 bits count."""
    powers = np.cumprod(np.full(size, 1664525, dtype=np.uint32), dtype=np.uint32)
    sums = np.cumsum(np.append(np.ones(1, dtype=np.uint32), powers[:-1]), dtype=np.uint32)
    numbers = powers * np.uint32(state) + sums * np.uint32(1013904223)
    return numbers.view(np.int32) / 2.0**33


while flare.is_running():
    model = flare.receive()
    if model is None:
        break
    state = first_state(f"{site}/{model.current_round}")
    time.sleep((train_ms + uneven_ms * (state % 8) / 7) / 1000)
    received = model.params["weight"]
    if flare.is_evaluate():
        flare.send(flare.FLModel(metrics={"mean": float(received.mean(dtype=np.float64))}))
        continue
    # A step that depends on the model, the round and the site, and on nothing else.
    values = (0.9 * received.astype(np.float64) + step_of(state, received.size)).astype(np.float32)
    meta = {"NUM_STEPS_CURRENT_ROUND": 10 + len(site)}
    if "scaffold_c_global" in model.meta:
        is_first = model.current_round == model.start_round
        before = np.zeros_like(values) if is_first else np.load(own_file(model.current_round))
        own = before - model.meta["scaffold_c_global"]["weight"] + np.float32(0.1) * (received - values)
        with open(own_file("next"), "wb") as file:
            np.save(file, own)
        os.replace(own_file("next"), own_file(model.current_round + 1))
        meta["scaffold_c_diff"] = {"weight": own - before}
    flare.send(
        flare.FLModel(
            params={"weight": values},
            params_type=flare.ParamsType.FULL,
            metrics={"mean": float(values.mean(dtype=np.float64))},
            meta=meta,
        )
    )
flare.shutdown()
`;

/** The training script of a chaos job, in each language. Both make the same numbers of the same model. */
export const trainScripts: Readonly<Record<TrainerLanguage, { readonly file: string; readonly text: string }>> = {
  typescript: { file: `${trainScriptStem}ts`, text: typescript },
  python: { file: `${trainScriptStem}py`, text: python },
};
