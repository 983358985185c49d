import { tmpdir } from "node:os";
import { FlareError } from "@flare-ts/contracts/errors";
import { throwIfAborted } from "../abort.js";
import type { AggregationInit, AggregationSession } from "../aggregation-engine.js";
import { compressionOf } from "../compression/compressed-format.js";
import { announcedGrid } from "../exact/exact-scale.js";
import { readSafetensorsHeader } from "../safetensors/read-header.js";
import { isFloatDtype } from "../tensor.js";
import { indexModel } from "./match-layout.js";
import type { SessionComponents } from "./session-settings.js";
import { UpdateSession } from "./update-session.js";

/** Reads the model's layout and begins a session. @throws as `AggregationEngine.open` */
export async function openSession(
  components: SessionComponents,
  engine: string,
  { model, strategy, paramsType, check = "add", scale, spoolFolder = tmpdir(), signal }: AggregationInit,
): Promise<AggregationSession> {
  throwIfAborted(signal);
  if ((strategy.needs.paramsType ?? paramsType) !== paramsType) {
    throw new FlareError(
      "aggregate/strategy-unfit",
      `${strategy.name} takes ${strategy.needs.paramsType ?? ""} updates, not ${paramsType}.`,
      {
        facts: { strategy: strategy.name, paramsType },
      },
    );
  }
  if (scale !== undefined && strategy.combine.kind !== "mean") {
    throw new FlareError("aggregate/strategy-unfit", `A scale was announced, and ${strategy.name} makes no sums that it could be for.`, {
      facts: { strategy: strategy.name },
    });
  }
  const startMs = components.nowMs();
  const layout = typeof model === "string" ? await readSafetensorsHeader(model) : model;
  if (compressionOf(layout) !== undefined) {
    const file = typeof model === "string" ? model : "The model";
    throw new FlareError(
      "aggregate/compression-invalid",
      `${file} is a compressed update, which does not say what types the model has; give the model itself.`,
      {
        facts: { file },
      },
    );
  }
  const announced =
    scale === undefined ? undefined : layout.tensors.map(({ name, dtype }) => (isFloatDtype(dtype) ? announcedGrid(scale, name) : 0));
  return new UpdateSession(components, {
    engine,
    model: indexModel(layout),
    strategy,
    paramsType,
    isCheckedEarly: check === "add" || strategy.needs.norms === true || strategy.needs.distances === true,
    announced: announced === undefined ? undefined : Float64Array.from(announced),
    startMs,
    spoolFolder,
  });
}
