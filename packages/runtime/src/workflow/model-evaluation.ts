import type { ModelEvaluationSettings } from "@flare-ts/contracts";
import type { ObjectRef } from "../store/model-store.js";
import { sitesLost } from "./round-quorum.js";
import type { HeldRound, ScriptedRound, ScriptStep, WorkflowScript } from "./script-machine.js";
import type { SiteFailure } from "./site-failure.js";
import type { WorkflowPlan } from "./workflow-plan.js";

/** A model that sites evaluate. */
interface EvaluatedModel {
  /** The site that it is of, or one of the server's with `SRV_` before its name. */
  readonly owner: string;
  readonly model: ObjectRef;
}

/** How far an evaluation is. */
export interface HeldEvaluation {
  /** All that are to be evaluated; `undefined` while sites are yet to hand in theirs. */
  readonly models: readonly EvaluatedModel[] | undefined;
  /** Models that have been, or could not be. */
  readonly done: number;
  /** Whether any site has evaluated any. */
  readonly hasResult: boolean;
  readonly failures: readonly SiteFailure[];
}

export interface ModelEvaluationPlan extends WorkflowPlan {
  /** The best model of the workflows before, where one was chosen. */
  readonly bestModel: ObjectRef | undefined;
}

/**
 * Evaluates models at sites: the server's, and, where it is asked for, those that the sites hand in. A round for each model, at all sites at
 * once. A site that fails, or does not answer in time, lacks in what comes of it; when no site has evaluated anything, the job ends.
 */
export function modelEvaluationScript(settings: ModelEvaluationSettings, plan: ModelEvaluationPlan): WorkflowScript<HeldEvaluation> {
  const { submitTaskName, validateTaskName, submitTimeoutMs, validationTimeoutMs, sites } = settings;
  const own = serverModels(plan);
  const submits = submitTaskName === undefined ? 0 : 1;
  const totalOf = (models: number): number => submits + models;
  return {
    initial: { models: submitTaskName === undefined ? own : undefined, done: 0, hasResult: false, failures: [] },
    next: ({ models, done, hasResult, failures }, present): ScriptStep => {
      const here = sites.filter((site) => present.includes(site));
      const current = models?.[done];
      const totalRounds = totalOf(models?.length ?? own.length + sites.length);
      const isOver = models !== undefined && current === undefined;
      if ((here.length === 0 || isOver) && !hasResult) {
        const what = here.length === 0 ? "No site is left that could evaluate models." : "No site has evaluated a model.";
        return { type: "fail", error: sitesLost(what, here.length === 0 ? plan.left : failures, {}) };
      }
      if (here.length === 0 || isOver) {
        const count = `${done} ${done === 1 ? "model" : "models"}`;
        return {
          type: "end",
          model: plan.initialModel,
          reason: isOver ? `${count} evaluated` : `${count} evaluated, then no site was left`,
        };
      }
      const round = (task: string): Omit<ScriptedRound, "model" | "use" | "timeoutMs"> => ({
        type: "round",
        task,
        sites: here,
        totalRounds,
        own: { current: current === undefined ? 0 : submits + done, start: 0, total: totalRounds },
      });
      if (current !== undefined) {
        const { owner, model } = current;
        return { ...round(validateTaskName), model, use: "measure", timeoutMs: validationTimeoutMs, evaluates: owner };
      }
      return { ...round(submitTaskName ?? ""), model: plan.initialModel, use: "collect", timeoutMs: submitTimeoutMs };
    },
    after: (held, { scripted, open, closed }: HeldRound) => {
      const failures = [...held.failures, ...open.failures];
      if (scripted.use === "measure") {
        return { ...held, failures, done: held.done + 1, hasResult: held.hasResult || closed.contributors.length > 0 };
      }
      const handedIn = Object.entries(closed.models ?? {}).map(([owner, model]) => ({ owner, model }));
      const sorted = handedIn.sort((a, b) => (a.owner < b.owner ? -1 : 1));
      return { ...held, failures, models: [...own, ...sorted] };
    },
  };
}

/** The global model, and the best one where that is another. */
function serverModels({ initialModel, bestModel }: ModelEvaluationPlan): readonly EvaluatedModel[] {
  const isOther = bestModel !== undefined && bestModel.hash !== initialModel.hash;
  return [
    { owner: "SRV_FL_global_model", model: initialModel },
    ...(isOther ? [{ owner: "SRV_best_FL_global_model", model: bestModel }] : []),
  ];
}
