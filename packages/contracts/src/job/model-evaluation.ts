import { z } from "zod";
import { siteNameSchema } from "../ids/names.js";
import type { ComponentClass } from "./component.js";
import { jobPathSchema } from "./job-path.js";
import { seconds } from "./seconds.js";
import { milliseconds, type WorkflowJob } from "./workflow-job.js";

/** Settings of the evaluation of models at sites, complete. */
export interface ModelEvaluationSettings {
  readonly kind: "ModelEvaluation";
  /** The task by which sites are asked for models of their own; `undefined`: only the server's are evaluated. */
  readonly submitTaskName: string | undefined;
  readonly validateTaskName: string;
  /** Time that sites have to hand in their models; `undefined`: as long as they move. */
  readonly submitTimeoutMs: number | undefined;
  /** Time that sites have to evaluate a model. */
  readonly validationTimeoutMs: number | undefined;
  /** Sites that hand in and evaluate. */
  readonly sites: readonly string[];
}

const evaluationShape = {
  validation_timeout: seconds.optional(),
  validation_task_name: z.string().min(1).default("validate"),
  participating_clients: z.array(siteNameSchema).min(1).optional(),
  initial_model: jobPathSchema.optional(),
};

const globalArgsSchema = z.strictObject(evaluationShape);
const crossSiteArgsSchema = z
  .strictObject({
    ...evaluationShape,
    submit_model_timeout: seconds.optional(),
    submit_model_task_name: z.string().min(1).default("submit_model"),
  })
  .refine((args) => args.submit_model_task_name !== args.validation_task_name, {
    path: ["submit_model_task_name"],
    message: "must not be that of validation_task_name",
  });

/** Arguments of an evaluation as a job writes them. */
export interface ModelEvaluationArgs extends z.output<typeof globalArgsSchema> {
  readonly kind: ModelEvaluationSettings["kind"];
  readonly submit_model_timeout?: number | undefined;
  readonly submit_model_task_name?: string;
}

const shared = {
  refusedArgs: {
    model_locator_id: "the global model and the best one are evaluated; the first model of a job is given by 'initial_model'",
    persistor_id: "models are in the server's store; remove it",
    formatter_id: "results come with `flare job download`; remove it",
    server_models: "the global model and the best one are evaluated; remove it",
  },
  ignoredArgs: {
    cross_val_dir: "'cross_val_dir' has no effect here: results come with `flare job download`",
    cleanup_models: "'cleanup_models' has no effect here: what sites hand in is removed when the job ends",
    wait_for_clients_timeout: "'wait_for_clients_timeout' has no effect here: the job's sites are there when it begins",
    task_check_period: "'task_check_period' has no effect here: nothing is polled",
  },
};

/** Every model at every site: the server's, and those that sites hand in. */
export const crossSiteModelEvalClass: ComponentClass<ModelEvaluationArgs> = {
  name: "CrossSiteModelEval",
  args: crossSiteArgsSchema.transform((args) => ({ kind: "ModelEvaluation" as const, ...args })),
  argNames: Object.keys(crossSiteArgsSchema.shape),
  ...shared,
};

/** FLARE's other name for the same. */
export const crossSiteEvalClass: ComponentClass<ModelEvaluationArgs> = { ...crossSiteModelEvalClass, name: "CrossSiteEval" };

/** The server's models at every site. */
export const globalModelEvalClass: ComponentClass<ModelEvaluationArgs> = {
  name: "GlobalModelEval",
  args: globalArgsSchema.transform((args) => ({ kind: "ModelEvaluation" as const, ...args })),
  argNames: Object.keys(globalArgsSchema.shape),
  ...shared,
};

/** Completes the arguments with what the job and its sites give. */
export function compileModelEvaluation(args: ModelEvaluationArgs, { sites }: WorkflowJob): ModelEvaluationSettings {
  const { participating_clients: named } = args;
  return Object.freeze({
    kind: "ModelEvaluation",
    submitTaskName: args.submit_model_task_name,
    validateTaskName: args.validation_task_name,
    submitTimeoutMs: milliseconds(args.submit_model_timeout),
    validationTimeoutMs: milliseconds(args.validation_timeout),
    sites: Object.freeze(sites.filter((site) => named === undefined || named.includes(site))),
  });
}
