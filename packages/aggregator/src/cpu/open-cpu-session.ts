import { tmpdir } from "node:os";
import { throwIfAborted } from "../abort.js";
import type { AggregationInit, AggregationSession } from "../aggregation-engine.js";
import { announcedGrid } from "../exact/exact-scale.js";
import { readSafetensorsHeader } from "../safetensors/read-header.js";
import { isFloatDtype } from "../tensor.js";
import type { CpuArithmetic } from "./cpu-arithmetic.js";
import { CpuSession } from "./cpu-session.js";
import { indexModel } from "./match-layout.js";

/** Reads the model's layout and begins a session. @throws as `AggregationEngine.open` */
export async function openCpuSession(
  components: { readonly nowMs: () => number; readonly arithmetic: CpuArithmetic },
  engine: string,
  { model, strategy, paramsType, scale, spoolFolder = tmpdir(), signal }: AggregationInit,
): Promise<AggregationSession> {
  throwIfAborted(signal);
  const startMs = components.nowMs();
  const layout = typeof model === "string" ? await readSafetensorsHeader(model) : model;
  const announced =
    scale === undefined ? undefined : layout.tensors.map(({ name, dtype }) => (isFloatDtype(dtype) ? announcedGrid(scale, name) : 0));
  return new CpuSession(components, {
    engine,
    model: indexModel(layout),
    strategy: strategy.name,
    paramsType,
    announced: announced === undefined ? undefined : Float64Array.from(announced),
    startMs,
    spoolFolder,
  });
}
