import { z } from "zod";
import { type ComponentClass, componentShape, readComponent } from "./component.js";
import { type CyclicArgs, type CyclicSettings, compileCyclic, cyclicClass, cyclicControllerClass } from "./cyclic.js";
import { compileFedAvg, type FedAvgArgs, type FedAvgSettings, fedAvgClass } from "./fed-avg.js";
import { compileFedBuff, type FedBuffArgs, type FedBuffSettings, fedBuffClass } from "./fed-buff.js";
import {
  compileModelEvaluation,
  crossSiteEvalClass,
  crossSiteModelEvalClass,
  globalModelEvalClass,
  type ModelEvaluationArgs,
  type ModelEvaluationSettings,
} from "./model-evaluation.js";
import { compilePsi, dhPsiControllerClass, type PsiArgs, type PsiSettings, psiTask } from "./psi.js";
import { compileScaffold, type ScaffoldArgs, type ScaffoldSettings, scaffoldClass } from "./scaffold.js";
import type { SiteHierarchy } from "./site-hierarchy.js";
import {
  compileStatistics,
  hierarchicalStatisticsControllerClass,
  type StatisticsArgs,
  type StatisticsSettings,
  statisticsControllerClass,
  statisticsTask,
} from "./statistics.js";
import type { WorkflowJob } from "./workflow-job.js";

/** Settings of one workflow, told apart by `kind`; complete: nobody parses or defaults after this. */
export type WorkflowSettings =
  | FedAvgSettings
  | FedBuffSettings
  | ScaffoldSettings
  | CyclicSettings
  | ModelEvaluationSettings
  | StatisticsSettings
  | PsiSettings;

/** Arguments of one workflow as a job writes them, told apart by `kind`. */
export type WorkflowArgs = FedAvgArgs | FedBuffArgs | ScaffoldArgs | CyclicArgs | ModelEvaluationArgs | StatisticsArgs | PsiArgs;

/** One of the workflows that a job goes through. */
export interface WorkflowStage {
  /** As the job calls it. */
  readonly id: string;
  readonly settings: WorkflowSettings;
}

/** Every workflow that there is, by the names that a job may use. */
const workflowClasses: readonly ComponentClass<WorkflowArgs>[] = [
  fedAvgClass,
  fedBuffClass,
  scaffoldClass,
  cyclicClass,
  cyclicControllerClass,
  crossSiteModelEvalClass,
  crossSiteEvalClass,
  globalModelEvalClass,
  statisticsControllerClass,
  hierarchicalStatisticsControllerClass,
  dhPsiControllerClass,
];

/** Whether a workflow has a model that goes on to the next one. */
export function hasModel({ kind }: Pick<WorkflowSettings, "kind">): boolean {
  return kind !== "Statistics" && kind !== "Psi";
}

/** Workflows of FLARE that have another name here. */
const instead: Readonly<Record<string, string>> = {
  ScatterAndGather: "FedAvg does the same; its first model is 'initial_model', and no component is needed",
  FedOpt: "use FedAvg with a 'strategy' such as fed-avg-m or fed-adam",
  ScatterAndGatherScaffold: "use Scaffold",
  ScatterAndGatherForEdge: "use FedBuff, in which nobody waits for a slow site",
  CrossSiteEvalServerController: "use CrossSiteModelEval, in which the server hands the models round",
  PSIController: "use DhPSIController",
  CyclicServerController: "use Cyclic, in which the server hands the model round",
};

const workflowSchema = z.strictObject({ id: z.string().min(1), ...componentShape }).transform((written, context) => {
  const component = readComponent("workflow", workflowClasses, written, context, instead);
  return component === undefined ? z.NEVER : { id: written.id, ...component };
});

/**
 * `workflows`: the first one has the job's first model, and each of the others goes on with that of the one before. Statistics and
 * intersections have no model, and leave the one that there is as it is.
 */
export const workflowsSchema = z
  .array(workflowSchema)
  .min(1, "needs one workflow")
  .superRefine((workflows, context) => {
    const first = workflows.findIndex(({ args }) => hasModel(args));
    workflows.forEach(({ id, args }, index) => {
      const complain = (path: readonly string[], message: string) => context.addIssue({ code: "custom", path: [index, ...path], message });
      if (index === first && args.initial_model === undefined) complain(["args", "initial_model"], "is missing");
      if (index > first && args.initial_model !== undefined) {
        complain(
          ["args", "initial_model"],
          "belongs to the first workflow with a model; this one goes on with the model of the one before",
        );
      }
      if (workflows.findIndex((other) => other.id === id) < index) complain(["id"], `'${id}' is the id of a workflow before`);
    });
  });

/** One workflow of a job as it is written. */
export type WorkflowDocument = z.output<typeof workflowSchema>;

/** What workflows have from elsewhere in the app. */
export interface WorkflowParts {
  /** Where the writer with an id puts a result. */
  readonly outputPathOf: (writer: string | undefined) => string | undefined;
  /** What the file of a hierarchy says. */
  readonly hierarchyOf: (file: string) => SiteHierarchy;
}

/** Completes what a job has written of a workflow. */
export function compileWorkflow({ id, args }: WorkflowDocument, job: WorkflowJob, parts: WorkflowParts): WorkflowStage {
  return Object.freeze({ id, settings: args.kind === "Statistics" ? statisticsOf(id, args, job, parts) : settingsOf(args, job) });
}

function statisticsOf(
  id: string,
  args: StatisticsArgs,
  job: WorkflowJob,
  { outputPathOf, hierarchyOf }: WorkflowParts,
): StatisticsSettings {
  const { writer_id: writer, hierarchy_config: file } = args;
  const hierarchy = file === undefined ? undefined : hierarchyOf(file);
  return compileStatistics(args, job, { id, outputPath: outputPathOf(writer), hierarchy });
}

function settingsOf(args: Exclude<WorkflowArgs, StatisticsArgs>, job: WorkflowJob): WorkflowSettings {
  switch (args.kind) {
    case "FedAvg":
      return compileFedAvg(args, job);
    case "FedBuff":
      return compileFedBuff(args, job);
    case "Scaffold":
      return compileScaffold(args, job);
    case "Cyclic":
      return compileCyclic(args, job);
    case "Psi":
      return compilePsi(args);
    case "ModelEvaluation":
    default:
      return compileModelEvaluation(args, job);
  }
}

/** A task that a workflow gives to sites. */
export interface WorkflowTask {
  readonly name: string;
  /** What it wants: a trained model, a model that the site has, how good the task's model is, statistics of the site's data, or an intersection. */
  readonly kind: "train" | "submit_model" | "evaluate" | "statistics" | "psi";
  /** The argument that names it. */
  readonly arg: string;
}

/** The tasks that a workflow gives to sites. */
export function tasksOf(args: WorkflowArgs): readonly WorkflowTask[] {
  if (args.kind === "Statistics") return [{ name: statisticsTask, kind: "statistics", arg: "statistic_configs" }];
  if (args.kind === "Psi") return [{ name: psiTask, kind: "psi", arg: "timeout" }];
  if (args.kind !== "ModelEvaluation") return [{ name: args.task_name, kind: "train", arg: "task_name" }];
  const { submit_model_task_name: submit, validation_task_name: name } = args;
  const evaluate: WorkflowTask = { name, kind: "evaluate", arg: "validation_task_name" };
  return submit === undefined ? [evaluate] : [{ name: submit, kind: "submit_model", arg: "submit_model_task_name" }, evaluate];
}
