import { join, resolve } from "node:path";
import { FlareError } from "@flare-ts/contracts/errors";
import type { ServerState } from "../aggregation-engine.js";
import { openFileSource } from "../byte-source.js";
import { makeFolder } from "../make-folder.js";
import { quoted } from "../peer-text.js";
import type { TensorSpec } from "../safetensors/layout.js";
import { readLayout } from "../safetensors/read-header.js";
import { SafetensorsWriter, type WriteSafetensorsInit } from "../safetensors/safetensors-writer.js";
import type { Strategy } from "../strategies/strategy.js";
import { isFloatDtype } from "../tensor.js";
import type { FoldStep, ReadableUpdate } from "./arithmetic.js";
import { indexModel, matchLayout } from "./match-layout.js";
import type { StoredTensors } from "./stored-tensor.js";

/** Metadata of a file of state: whose it is, and steps taken so far. */
const strategyKey = "flare.strategy";
const stepsKey = "flare.steps";

/** Tensors of state: as many as the step applies to, all float32. */
function stateTensors({ step }: Strategy, tensors: readonly TensorSpec[]): readonly TensorSpec[] {
  return tensors
    .filter((tensor) => isFloatDtype(tensor.dtype) && step?.appliesTo(tensor) === true)
    .map(({ name, shape }) => ({ name, shape, dtype: "F32" }));
}

/**
 * Opens the state that a step goes on from.
 *
 * @param opened - takes what has to be closed
 * @throws `aggregate/state-invalid` where it is missing, another strategy's or another model's, `aggregate/safetensors-…`, `file/…`
 */
export async function openState(
  strategy: Strategy,
  model: readonly TensorSpec[],
  state: ServerState | undefined,
  opened: ReadableUpdate["source"][],
): Promise<FoldStep | undefined> {
  const { step } = strategy;
  if (step === undefined) return undefined;
  if (step.stateNames.length > 0 && state === undefined) {
    throw new FlareError(
      "aggregate/state-invalid",
      `${strategy.name} keeps ${step.stateNames.join(" and ")} between rounds and has no folder for it.`,
      {
        facts: { strategy: strategy.name },
      },
    );
  }
  if (state?.from === undefined) return { step, state: [], stepNumber: 1 };
  const { from } = state;
  if (step.stateNames.length > 0 && typeof from === "string" && resolve(from) === resolve(state.to)) {
    throw new FlareError("aggregate/state-invalid", `${from} is to be read and written: the round could not be taken again.`, {
      facts: { folder: from },
    });
  }
  const wanted = stateTensors(strategy, model);
  let steps = 0;
  const sources: ReadableUpdate[] = [];
  for (const name of step.stateNames) {
    const path = fileOfState(strategy, from, name);
    const invalid = (what: string, cause?: unknown): FlareError =>
      new FlareError("aggregate/state-invalid", `${path} ${what}.`, { facts: { file: path }, cause });
    const source = await openFileSource(path).catch((cause: unknown) => {
      throw hasCode(cause, "file/not-found") ? invalid("does not exist", cause) : cause;
    });
    opened.push(source);
    const layout = await readLayout(source);
    const owner = layout.metadata[strategyKey];
    if (owner !== strategy.name) throw invalid(`is state of ${quoted(owner ?? "nobody")}, not of ${strategy.name}`);
    const taken = Number(layout.metadata[stepsKey]);
    if (!Number.isSafeInteger(taken) || taken < 1) throw invalid("does not say how many steps were taken");
    if (steps !== 0 && taken !== steps) throw invalid(`is of step ${taken}, and other files beside it of step ${steps}`);
    steps = taken;
    const index = indexModel({ ...layout, tensors: wanted.map((tensor) => ({ ...tensor, byteOffset: 0, byteLength: 0 })) });
    const stored = await matchLayout(index, layout, source, path, "plain").catch((cause: unknown) => {
      const isOther = hasCode(cause, "aggregate/unknown-tensor") || hasCode(cause, "aggregate/layout-mismatch");
      throw isOther ? invalid(`is of another model: ${cause.message}`, cause) : cause;
    });
    const missing = wanted.find((_, tensor) => stored[tensor] === undefined);
    if (missing !== undefined) throw invalid(`lacks tensor ${quoted(missing.name)}`);
    sources.push({ source, stored: inOrderOf(model, wanted, stored) });
  }
  return { step, state: sources, stepNumber: steps + 1 };
}

function fileOfState(strategy: Strategy, from: string | Readonly<Record<string, string>>, name: string): string {
  if (typeof from === "string") return join(from, `${name}.safetensors`);
  const path = Object.hasOwn(from, name) ? from[name] : undefined;
  if (path !== undefined) return path;
  throw new FlareError("aggregate/state-invalid", `${strategy.name} has no file of its ${name} from the round before.`, {
    facts: { strategy: strategy.name, state: name },
  });
}

/** Begins the files of the new state. @throws `file/unwritable` */
export async function createState(
  strategy: Strategy,
  written: readonly TensorSpec[],
  { stepNumber }: FoldStep,
  folder: string,
  init: WriteSafetensorsInit,
): Promise<readonly SafetensorsWriter[]> {
  await makeFolder(folder);
  const tensors = stateTensors(strategy, written);
  const metadata = { [strategyKey]: strategy.name, [stepsKey]: String(stepNumber) };
  const writers: SafetensorsWriter[] = [];
  try {
    for (const name of strategy.step?.stateNames ?? []) {
      writers.push(await SafetensorsWriter.create(join(folder, `${name}.safetensors`), tensors, { ...init, metadata }));
    }
  } catch (cause) {
    await Promise.all(writers.map((writer) => writer.discard()));
    throw cause;
  }
  return writers;
}

function hasCode(cause: unknown, code: FlareError["code"]): cause is FlareError {
  return cause instanceof FlareError && cause.code === code;
}

/** Places by tensor of the model instead of tensor of the state. */
function inOrderOf(model: readonly TensorSpec[], tensors: readonly TensorSpec[], stored: StoredTensors): StoredTensors {
  const places = new Map(tensors.map(({ name }, index) => [name, stored[index]]));
  return model.map(({ name }) => places.get(name));
}
