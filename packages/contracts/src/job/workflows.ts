import { z } from "zod";
import { type ComponentClass, componentShape, readComponent } from "./component.js";
import { type CyclicArgs, type CyclicSettings, compileCyclic, cyclicClass, cyclicControllerClass } from "./cyclic.js";
import { compileFedAvg, type FedAvgArgs, type FedAvgSettings, fedAvgClass } from "./fed-avg.js";
import {
  compileModelEvaluation,
  crossSiteEvalClass,
  crossSiteModelEvalClass,
  globalModelEvalClass,
  type ModelEvaluationArgs,
  type ModelEvaluationSettings,
} from "./model-evaluation.js";
import { compileScaffold, type ScaffoldArgs, type ScaffoldSettings, scaffoldClass } from "./scaffold.js";
import type { WorkflowJob } from "./workflow-job.js";

/** Settings of one workflow, told apart by `kind`; complete: nobody parses or defaults after this. */
export type WorkflowSettings = FedAvgSettings | ScaffoldSettings | CyclicSettings | ModelEvaluationSettings;

/** Arguments of one workflow as a job writes them, told apart by `kind`. */
export type WorkflowArgs = FedAvgArgs | ScaffoldArgs | CyclicArgs | ModelEvaluationArgs;

/** One of the workflows that a job goes through. */
export interface WorkflowStage {
  /** As the job calls it. */
  readonly id: string;
  readonly settings: WorkflowSettings;
}

/** Every workflow that there is, by the names that a job may use. */
const workflowClasses: readonly ComponentClass<WorkflowArgs>[] = [
  fedAvgClass,
  scaffoldClass,
  cyclicClass,
  cyclicControllerClass,
  crossSiteModelEvalClass,
  crossSiteEvalClass,
  globalModelEvalClass,
];

/** Workflows of FLARE that have another name here. */
const instead: Readonly<Record<string, string>> = {
  ScatterAndGather: "FedAvg does the same; its first model is 'initial_model', and no component is needed",
  FedOpt: "use FedAvg with a 'strategy' such as fed-avg-m or fed-adam",
  ScatterAndGatherScaffold: "use Scaffold",
  CrossSiteEvalServerController: "use CrossSiteModelEval, in which the server hands the models round",
  CyclicServerController: "use Cyclic, in which the server hands the model round",
};

const workflowSchema = z.strictObject({ id: z.string().min(1), ...componentShape }).transform((written, context) => {
  const component = readComponent("workflow", workflowClasses, written, context, instead);
  return component === undefined ? z.NEVER : { id: written.id, ...component };
});

/** `workflows`: the first one has the job's first model, and each of the others goes on with that of the one before. */
export const workflowsSchema = z
  .array(workflowSchema)
  .min(1, "needs one workflow")
  .superRefine((workflows, context) => {
    workflows.forEach(({ id, args }, index) => {
      const complain = (path: readonly string[], message: string) => context.addIssue({ code: "custom", path: [index, ...path], message });
      if (index === 0 && args.initial_model === undefined) complain(["args", "initial_model"], "is missing");
      if (index > 0 && args.initial_model !== undefined) {
        complain(["args", "initial_model"], "belongs to the first workflow; this one goes on with the model of the one before");
      }
      if (workflows.findIndex((other) => other.id === id) < index) complain(["id"], `'${id}' is the id of a workflow before`);
    });
  });

/** One workflow of a job as it is written. */
export type WorkflowDocument = z.output<typeof workflowSchema>;

/** Completes what a job has written of a workflow. */
export function compileWorkflow({ id, args }: WorkflowDocument, job: WorkflowJob): WorkflowStage {
  return Object.freeze({ id, settings: settingsOf(args, job) });
}

function settingsOf(args: WorkflowArgs, job: WorkflowJob): WorkflowSettings {
  switch (args.kind) {
    case "FedAvg":
      return compileFedAvg(args, job);
    case "Scaffold":
      return compileScaffold(args, job);
    case "Cyclic":
      return compileCyclic(args, job);
    case "ModelEvaluation":
    default:
      return compileModelEvaluation(args, job);
  }
}

/** A task that a workflow gives to sites. */
export interface WorkflowTask {
  readonly name: string;
  /** What it wants: a trained model, a model that the site has, or how good the task's model is. */
  readonly kind: "train" | "submit_model" | "evaluate";
  /** The argument that names it. */
  readonly arg: string;
}

/** The tasks that a workflow gives to sites. */
export function tasksOf(args: WorkflowArgs): readonly WorkflowTask[] {
  if (args.kind !== "ModelEvaluation") return [{ name: args.task_name, kind: "train", arg: "task_name" }];
  const { submit_model_task_name: submit, validation_task_name: name } = args;
  const evaluate: WorkflowTask = { name, kind: "evaluate", arg: "validation_task_name" };
  return submit === undefined ? [evaluate] : [{ name: submit, kind: "submit_model", arg: "submit_model_task_name" }, evaluate];
}
