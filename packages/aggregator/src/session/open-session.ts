import { tmpdir } from "node:os";
import { FlareError } from "@flare-ts/contracts/errors";
import { throwIfAborted } from "../abort.js";
import type { AggregationInit, AggregationSession, ParamsType } from "../aggregation-engine.js";
import { announcedGrid } from "../exact/exact-scale.js";
import { readSafetensorsHeader } from "../safetensors/read-header.js";
import type { Strategy } from "../strategies/strategy.js";
import { isFloatDtype } from "../tensor.js";
import { indexModel, requirePlainModel } from "./match-layout.js";
import type { SessionComponents } from "./session-settings.js";
import { UpdateSession } from "./update-session.js";

/** Reads the model's layout and begins a session. @throws as `AggregationEngine.open` */
export async function openSession(
  components: SessionComponents,
  engine: string,
  { model, strategy, paramsType, check = "add", scale, spoolFolder = tmpdir(), signal }: AggregationInit,
): Promise<AggregationSession> {
  throwIfAborted(signal);
  requireParamsType(strategy, paramsType);
  if (scale !== undefined && (strategy.combine.kind !== "mean" || strategy.parts !== undefined)) {
    throw new FlareError("aggregate/strategy-unfit", `A scale was announced, and ${strategy.name} makes no sums that it could be for.`, {
      facts: { strategy: strategy.name },
    });
  }
  requirePlainParts(strategy);
  const startMs = components.nowMs();
  const layout = typeof model === "string" ? await readSafetensorsHeader(model) : model;
  requirePlainModel(layout, typeof model === "string" ? model : "The model");
  const announced =
    scale === undefined ? undefined : layout.tensors.map(({ name, dtype }) => (isFloatDtype(dtype) ? announcedGrid(scale, name) : 0));
  return new UpdateSession(components, {
    engine,
    model: indexModel(layout),
    strategy,
    paramsType,
    isCheckedEarly: check === "add" || strategy.needs.norms === true || strategy.needs.distances === true || strategy.parts !== undefined,
    announced: announced === undefined ? undefined : Float64Array.from(announced),
    startMs,
    spoolFolder,
  });
}

function requireParamsType({ name, needs, parts = [] }: Strategy, paramsType: ParamsType): void {
  for (const wanted of [needs, ...parts.map(({ strategy }) => strategy.needs)].map((each) => each.paramsType ?? paramsType)) {
    if (wanted === paramsType) continue;
    throw new FlareError("aggregate/strategy-unfit", `${name} takes ${wanted} updates, not ${paramsType}.`, {
      facts: { strategy: name, paramsType },
    });
  }
}

/** Norms and distances are of whole models, and files of state are one strategy's. */
function requirePlainParts({ parts, ...whole }: Strategy): void {
  if (parts === undefined) return;
  for (const { name, needs, step } of [whole, ...parts.map(({ strategy }) => strategy)]) {
    if (needs.norms !== true && needs.distances !== true && (step?.stateNames.length ?? 0) === 0) continue;
    throw new FlareError("aggregate/strategy-unfit", `${name} measures whole models or keeps state, so it goes with no other strategy.`, {
      facts: { strategy: whole.name, part: name },
    });
  }
}
