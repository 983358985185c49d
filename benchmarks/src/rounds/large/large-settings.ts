import { spawnSync } from "node:child_process";
import process from "node:process";
import { invalidArguments } from "../../command-line/invalid-arguments.ts";
import type { GivenOptions, OptionTable } from "../../command-line/parse-options.ts";
import { byteSize, oneOf, wholeNumber } from "../../command-line/parse-values.ts";
import { type TrainerLanguage, trainerLanguages } from "./trainer-programs.ts";

/** Forms of updates on the wire, by the names of FLARE's ModelQuantizer. */
export const wireForms = ["float16", "bfloat16", "blockwise8"] as const;

export type WireForm = (typeof wireForms)[number];

/** Options of rounds of a large model. */
export const largeOptions = {
  model: { value: "<size>", about: "size of the model, such as 100MB, in 160 tensors of float32; without it a 3x3 model" },
  trainer: { value: "<language>", about: `of the trainers: ${trainerLanguages.join(", ")} [python where it has NumPy]` },
  wire: { value: "<form>", about: `how updates are sent: ${wireForms.join(", ")} [as they are]` },
  "max-memory": { value: "<size>", about: "memory that the server may hold, in a cgroup where one can be made; fails when more is held" },
  "site-max-memory": { value: "<size>", about: "memory that each site may hold beside its trainers" },
} as const satisfies OptionTable<string>;

/** Rounds of a large model, as they were asked for. */
export interface LargeSettings {
  readonly modelBytes: number;
  readonly sites: number;
  /** Rounds that are measured, after the first. */
  readonly rounds: number;
  readonly trainer: TrainerLanguage;
  readonly wire: WireForm | undefined;
  readonly maxMemory: number | undefined;
  readonly siteMaxMemory: number | undefined;
}

type LargeGiven = Pick<GivenOptions<keyof typeof largeOptions>, "last">;

/** Settings of a command line; `undefined` where no model is named. @throws `cli/invalid-arguments` */
export function largeSettings(given: LargeGiven, { sites, rounds }: Pick<LargeSettings, "sites" | "rounds">): LargeSettings | undefined {
  const model = given.last("model");
  if (model === undefined) {
    const idle = (["trainer", "wire", "max-memory", "site-max-memory"] as const).find((name) => given.last(name) !== undefined);
    if (idle !== undefined) throw invalidArguments(`--${idle} goes with --model only.`);
    return undefined;
  }
  const size = (name: "max-memory" | "site-max-memory"): number | undefined => {
    const text = given.last(name);
    return text === undefined ? undefined : byteSize(`--${name}`, text);
  };
  const trainer = given.last("trainer");
  const wire = given.last("wire");
  return {
    modelBytes: byteSize("--model", model),
    sites: wholeNumber("--sites", String(sites)),
    rounds,
    trainer: trainer === undefined ? likelyTrainer() : oneOf("--trainer", trainer, trainerLanguages),
    wire: wire === undefined ? undefined : oneOf("--wire", wire, wireForms),
    maxMemory: size("max-memory"),
    siteMaxMemory: size("site-max-memory"),
  };
}

/** What users train with, where it is there. */
function likelyTrainer(): TrainerLanguage {
  const python = process.env["FLARE_PYTHON"] ?? "python3";
  return spawnSync(python, ["-c", "import numpy"]).status === 0 ? "python" : "typescript";
}
