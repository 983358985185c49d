import type { ModelEvaluation } from "../job/model-evaluations.js";

/** Where a downloaded result has what came of an evaluation. */
export interface EvaluationFile {
  /** Path inside the result's folder. */
  readonly path: string;
  readonly evaluation: ModelEvaluation;
}

/** Files for the evaluations of a job: FLARE's name for the first, and for each after that a number and its workflow's id besides. */
export function evaluationFiles(evaluations: readonly ModelEvaluation[]): readonly EvaluationFile[] {
  return evaluations.map((evaluation, i) => ({
    path: `cross_site_val/cross_val_results${i === 0 ? "" : suffix(i, evaluation)}.json`,
    evaluation,
  }));
}

/** The number alone makes it unique: ids may hold anything, and be of any length. */
function suffix(index: number, { workflow = "" }: ModelEvaluation): string {
  const id = workflow.replaceAll(/[^A-Za-z0-9-]+/g, "_").slice(0, mostIdChars);
  return `_${index + 1}${id === "" ? "" : `_${id}`}`;
}

const mostIdChars = 60;
