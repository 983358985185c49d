import { controlledTensor, isScaffoldControl, scaffoldControlPrefix, type Tensor } from "@flare-ts/aggregator/safetensors";
import { FlareError } from "@flare-ts/contracts/errors";
import type { Tensors } from "./fl-model.js";

/** A model's file, taken apart. */
export interface SplitModel {
  readonly params: Tensors;
  /** SCAFFOLD's control variates by the names of their tensors; `undefined` where the model came without. */
  readonly controls: Tensors | undefined;
}

/** Tells a model's own tensors from the control variates that come with it. */
export function splitControls(tensors: Tensors): SplitModel {
  const [own, controls] = [new Map<string, Tensor>(), new Map<string, Tensor>()];
  for (const [name, tensor] of Object.entries(tensors)) {
    if (isScaffoldControl({ name })) controls.set(controlledTensor(name), tensor);
    else own.set(name, tensor);
  }
  return { params: Object.fromEntries(own), controls: controls.size === 0 ? undefined : Object.fromEntries(controls) };
}

/**
 * What goes into the file of an update besides its params: in a DIFF the changes themselves, in a FULL update what they make of the
 * federation's control variates. One of which no change is given stays as it is, and is sent all the same: noise is for all of them.
 *
 * @throws FlareError `client-api/result-invalid`, `client-api/difference-unsupported` for FULL updates of other types than F32 and F64
 */
export function controlTensors(changes: Tensors | undefined, controls: Tensors | undefined, paramsType: "FULL" | "DIFF"): Tensors {
  if (controls === undefined) {
    if (changes === undefined) return {};
    throw invalid(
      "controlChanges are given, and the model came without control variates: the job's workflow is not Scaffold. Send them only where controlVariates of the received model are there.",
    );
  }
  if (changes === undefined || Object.keys(changes).length === 0) {
    throw invalid(
      "controlChanges are missing: the job's workflow is Scaffold, and its answers hold what training adds to the site's control variates, by the names of the tensors that are trained.",
    );
  }
  for (const name of Object.keys(changes)) {
    if (!Object.hasOwn(controls, name)) throw invalid(`controlChanges name '${name}', of which there is no control variate.`, name);
  }
  return Object.fromEntries(
    Object.entries(controls).map(([name, control]) => {
      const change = changes[name];
      const isKept = paramsType === "FULL" && change === undefined;
      return [`${scaffoldControlPrefix}${name}`, isKept ? control : changed(name, control, change ?? zerosLike(control), paramsType)];
    }),
  );
}

function zerosLike({ dtype, shape, data }: Tensor): Tensor {
  return { dtype, shape, data: data instanceof BigInt64Array ? new BigInt64Array(data.length) : data.slice().fill(0) };
}

function changed(name: string, control: Tensor, change: Tensor, paramsType: "FULL" | "DIFF"): Tensor {
  if (control.dtype !== change.dtype || control.shape.join() !== change.shape.join()) {
    const [is, must] = [change, control].map(({ dtype, shape }) => `${dtype} [${shape.join(", ")}]`);
    throw invalid(`'${name}' of controlChanges is ${is}, where its control variate is ${must}.`, name);
  }
  return paramsType === "DIFF" ? change : sumOf(name, control, change);
}

function sumOf(name: string, control: Tensor, change: Tensor): Tensor {
  const [base, added] = [control.data, change.data];
  if (base instanceof Float32Array && added instanceof Float32Array) {
    return { ...control, data: base.map((value, i) => value + (added[i] ?? Number.NaN)) };
  }
  if (base instanceof Float64Array && added instanceof Float64Array) {
    return { ...control, data: base.map((value, i) => value + (added[i] ?? Number.NaN)) };
  }
  throw new FlareError(
    "client-api/difference-unsupported",
    `Tensor '${name}' is ${control.dtype}; control variates of whole models are made for F32 and F64. Send a DIFF.`,
    { facts: { tensor: name, dtype: control.dtype } },
  );
}

function invalid(message: string, tensor?: string): FlareError {
  return new FlareError("client-api/result-invalid", message, { facts: tensor === undefined ? {} : { tensor } });
}
