import { FlareError } from "@flare-ts/contracts/errors";
import type { FLModelInit } from "./fl-model.js";
import { weightKey } from "./protocol.js";
import { evaluateTaskNames, isEvaluate, type TaskNames } from "./task-kinds.js";

/**
 * That a result answers its task, and the weight that it has: an evaluation, which changes no model, counts as 1 where the script gives none.
 *
 * @throws FlareError `client-api/weight-missing`, `client-api/result-invalid`
 */
export function checkResult(model: FLModelInit, { task, names }: { readonly task: string; readonly names: TaskNames }): number {
  const { params = {}, metrics = {}, meta = {} } = model;
  const isEvaluation = isEvaluate(task, names);
  const weight = isEvaluation && meta[weightKey] === undefined ? 1 : weightOf(meta[weightKey]);
  for (const [name, value] of Object.entries(metrics))
    if (!Number.isFinite(value)) throw invalid(`The metric '${name}' is ${String(value)}, not a finite number.`, { metric: name });
  if (isEvaluation && Object.keys(metrics).length === 0) throw invalid(`The answer to the evaluation '${task}' has no metrics.`, { task });
  if (!isEvaluation && Object.keys(params).length === 0) {
    const known = evaluateTaskNames(names).join(", ");
    throw invalid(`The answer to the task '${task}' has no tensor in its params; metrics alone answer an evaluation (${known}).`, { task });
  }
  return weight;
}

function weightOf(weight: unknown): number {
  if (typeof weight === "number" && Number.isFinite(weight) && weight > 0) return weight;
  throw new FlareError("client-api/weight-missing", `meta.${weightKey} is ${JSON.stringify(weight) ?? "missing"}, not a positive number.`, {
    facts: { value: (weight ?? null) as never },
  });
}

function invalid(message: string, facts: Readonly<Record<string, string>>): FlareError {
  return new FlareError("client-api/result-invalid", message, { facts });
}
