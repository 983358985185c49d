import { join } from "node:path";
import { fedAvg, type StrategyComponents } from "@flare-ts/aggregator";
import {
  type FedAvgSettings,
  type FedBuffSettings,
  hasModel,
  type PsiSettings,
  type ScaffoldSettings,
  type SecureAggregation,
  type StatisticsSettings,
  type WorkflowSettings,
  type WorkflowStage,
} from "@flare-ts/contracts";
import type { ServerJobDescription } from "../job-process/job-channel.js";
import { psiRounds } from "../psi/psi-steps.js";
import type { ObjectRef } from "../store/model-store.js";
import { bufferedMachine } from "./buffered-machine.js";
import { cyclicScript } from "./cyclic.js";
import { createFedBuffStrategy, createJobStrategy, createScaffoldStrategy, trainerMeta, withoutTensors } from "./job-strategy.js";
import { modelEvaluationScript } from "./model-evaluation.js";
import { psiScript } from "./psi.js";
import { PsiRounds } from "./psi-rounds.js";
import { roundMachine } from "./round-machine.js";
import type { RunningWorkflow } from "./running-workflow.js";
import { ScaffoldModels } from "./scaffold-models.js";
import { scriptMachine } from "./script-machine.js";
import { secureRoundMachine } from "./secure-round-machine.js";
import { SecureSums } from "./secure-sums.js";
import { statisticsScript } from "./statistics.js";
import { emptyModel, StatisticsRounds } from "./statistics-rounds.js";
import { WorkflowDriver, type WorkflowDriverComponents, type WorkflowDriverInit } from "./workflow-driver.js";
import type { WorkflowPlan } from "./workflow-plan.js";
import { type Handover, WorkflowSequence } from "./workflow-sequence.js";

/** What the workflows of a job start from. */
export interface WorkflowsStart {
  readonly job: ServerJobDescription;
  /** In the order in which they run. */
  readonly stages: readonly WorkflowStage[];
  /** The model of the first round of the job. */
  readonly initialModel: () => Promise<ObjectRef>;
}

/** What one workflow starts from, besides its settings. */
interface StageStart {
  readonly job: ServerJobDescription;
  readonly plan: WorkflowPlan;
  readonly bestModel: ObjectRef | undefined;
  readonly isLast: boolean;
}

type Parts = Omit<WorkflowDriverComponents<unknown>, "machine" | "strategy" | "dress"> & StrategyComponents;

/** Every workflow, by the kind of its settings. */
function create(settings: WorkflowSettings, start: StageStart, parts: Parts): RunningWorkflow {
  const { plan, bestModel } = start;
  switch (settings.kind) {
    case "FedAvg":
      return rounds(settings, start, parts);
    case "FedBuff":
      return buffered(settings, start, parts);
    case "Scaffold":
      return scaffold(settings, start, parts);
    case "Cyclic":
      return scripted(scriptMachine(plan, cyclicScript(settings, plan)), start, parts);
    case "Statistics":
      return statistics(settings, start, parts);
    case "Psi":
      return intersection(settings, start, parts);
    case "ModelEvaluation":
    default:
      return scripted(scriptMachine(plan, modelEvaluationScript(settings, { ...plan, bestModel })), start, parts);
  }
}

/** A workflow in which updates are combined. */
function rounds(settings: FedAvgSettings, start: StageStart, parts: Parts): RunningWorkflow {
  const strategy = withoutTensors(createJobStrategy(settings.strategy, parts), settings.excludeVars);
  const { secureAggregation: secure } = start.job;
  if (secure !== undefined)
    return secureRounds({ ...settings, minClients: Math.max(settings.minClients, secure.minSites) }, secure, start, { ...parts, strategy });
  const machine = roundMachine({ ...start.plan, settings });
  const taskMeta = trainerMeta(strategy, settings.fedproxMu);
  return new WorkflowDriver({ ...parts, machine, strategy }, { ...placeOf(start), taskMeta });
}

/** The same, of updates that are added without being read. */
function secureRounds(
  settings: FedAvgSettings,
  secure: SecureAggregation,
  start: StageStart,
  parts: Parts & Pick<WorkflowDriverComponents<unknown>, "strategy">,
): RunningWorkflow {
  const { job, plan } = start;
  const sums = new SecureSums(parts, { jobId: job.jobId, secure, folder: join(job.workspace, "aggregates") });
  const machine = secureRoundMachine({ ...plan, settings, secure });
  const taskMeta = trainerMeta(parts.strategy, settings.fedproxMu);
  return new WorkflowDriver({ ...parts, machine, sums }, { ...placeOf(start), taskMeta });
}

/** A workflow in which sites do not wait for each other. */
function buffered(settings: FedBuffSettings, start: StageStart, parts: Parts): RunningWorkflow {
  const strategy = withoutTensors(createFedBuffStrategy(settings.strategyArgs, parts), settings.excludeVars);
  const machine = bufferedMachine({ ...start.plan, settings });
  return new WorkflowDriver({ ...parts, machine, strategy }, { ...placeOf(start), taskMeta: {} });
}

/** Rounds of models that hold SCAFFOLD's control variates besides the weights, held as FedAvg's are. */
function scaffold(settings: ScaffoldSettings, start: StageStart, parts: Parts): RunningWorkflow {
  const { job, plan } = start;
  const strategy = createScaffoldStrategy(settings.strategyArgs, plan.sites.length, parts);
  const dress = new ScaffoldModels(parts, { folder: join(job.workspace, "aggregates") });
  return new WorkflowDriver(
    { ...parts, machine: roundMachine({ ...plan, settings }), strategy, dress },
    { ...placeOf(start), taskMeta: {} },
  );
}

/** A workflow that asks for statistics, and for no model. */
function statistics(settings: StatisticsSettings, start: StageStart, parts: Parts): RunningWorkflow {
  const { job, plan } = start;
  const documents = new StatisticsRounds(parts, { settings, folder: join(job.workspace, "aggregates") });
  const machine = scriptMachine(plan, statisticsScript(settings, plan));
  return new WorkflowDriver(
    { ...parts, machine, strategy: fedAvg(), dress: documents, summary: documents },
    { ...placeOf(start), taskMeta: {} },
  );
}

/** A workflow that finds what identifiers all sites have. */
function intersection(settings: PsiSettings, start: StageStart, parts: Parts): RunningWorkflow {
  const { job, plan } = start;
  const { firstRound, sites } = plan;
  const lists = new PsiRounds(parts, { folder: join(job.workspace, "aggregates"), firstRound, totalRounds: psiRounds(sites.length) });
  const machine = scriptMachine(plan, psiScript(settings, plan));
  return new WorkflowDriver({ ...parts, machine, strategy: fedAvg(), dress: lists, summary: lists }, { ...placeOf(start), taskMeta: {} });
}

/** A workflow in which no two updates are combined. */
function scripted<State>(machine: WorkflowDriverComponents<State>["machine"], start: StageStart, parts: Parts): RunningWorkflow {
  return new WorkflowDriver({ ...parts, machine, strategy: fedAvg() }, { ...placeOf(start), taskMeta: {} });
}

function placeOf({ job, plan, isLast }: StageStart): Omit<WorkflowDriverInit, "taskMeta"> {
  return { workspace: job.workspace, firstRound: plan.firstRound, isLast };
}

/** Puts the workflows of a job to work. */
export function jobWorkflows({ job, stages, initialModel }: WorkflowsStart, parts: Parts): WorkflowSequence {
  // What comes before every workflow with a model has none to hand on.
  const first = stages.findIndex(({ settings }) => hasModel(settings));
  return new WorkflowSequence({
    count: stages.length,
    create: async (index, { nextRound, model, bestModel, left }: Handover) => {
      const stage = stages[index];
      if (stage === undefined) throw new TypeError(`the job has no workflow ${index}`);
      const { id, settings } = stage;
      const plan: WorkflowPlan = {
        sites: job.sites,
        mandatoryClients: job.mandatoryClients,
        firstRound: nextRound ?? ("startRound" in settings ? settings.startRound : 0),
        initialModel: first < 0 || index < first ? emptyModel : index === first || model === undefined ? await initialModel() : model,
        left,
        workflow: stages.length === 1 ? undefined : id,
      };
      return create(settings, { job, plan, bestModel, isLast: index === stages.length - 1 }, parts);
    },
  });
}
