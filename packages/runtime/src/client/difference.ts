import type { Tensor } from "@flare-ts/aggregator/safetensors";
import { FlareError } from "@flare-ts/contracts/errors";

/**
 * The difference `after - before` of each tensor of `after`, for F32 and F64; each element is rounded once to its own type. Tensors that
 * are in `before` alone were not trained, such as all but the adapters of a large model, and are left out.
 *
 * @throws FlareError `client-api/result-invalid` for a tensor that is not in `before` with the same type and shape,
 *   `client-api/difference-unsupported` for other types
 */
export function differenceOf(after: Readonly<Record<string, Tensor>>, before: Readonly<Record<string, Tensor>>): Record<string, Tensor> {
  return Object.fromEntries(Object.keys(after).map((name) => [name, subtract(name, after[name], before[name])]));
}

function subtract(name: string, after: Tensor | undefined, before: Tensor | undefined): Tensor {
  if (after === undefined || before === undefined) throw invalid(name, "was not in the model that was received");
  if (after.dtype !== before.dtype || after.shape.join() !== before.shape.join()) {
    throw invalid(name, `is ${after.dtype} [${after.shape.join(", ")}], where ${before.dtype} [${before.shape.join(", ")}] was received`);
  }
  const { data } = after;
  const base = before.data;
  if (data instanceof Float32Array && base instanceof Float32Array) {
    return { ...after, data: data.map((value, i) => value - (base[i] ?? Number.NaN)) };
  }
  if (data instanceof Float64Array && base instanceof Float64Array) {
    return { ...after, data: data.map((value, i) => value - (base[i] ?? Number.NaN)) };
  }
  throw new FlareError("client-api/difference-unsupported", `Tensor '${name}' is ${after.dtype}; differences are made for F32 and F64.`, {
    facts: { tensor: name, dtype: after.dtype },
  });
}

function invalid(name: string, what: string): FlareError {
  return new FlareError("client-api/result-invalid", `Tensor '${name}' ${what}.`, { facts: { tensor: name } });
}
