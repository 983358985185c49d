import type { StrategyComponents } from "@flare-ts/aggregator";
import type { FedAvgSettings } from "@flare-ts/contracts";
import type { JournalEntry } from "../job/job-event.js";
import { startRoundMeta } from "../job/start-round.js";
import type { ServerJobDescription } from "../job-process/job-channel.js";
import type { ObjectRef } from "../store/model-store.js";
import { createJobStrategy, trainerMeta, withoutTensors } from "./job-strategy.js";
import { roundMachine } from "./round-machine.js";
import { WorkflowDriver, type WorkflowDriverComponents, type WorkflowOutcome } from "./workflow-driver.js";

/** Compiled settings of every workflow that there is, told apart by `kind`. */
export type WorkflowSettings = FedAvgSettings;

/** What a workflow starts from, besides its settings. */
export interface WorkflowStart {
  readonly job: ServerJobDescription;
  readonly initialModel: ObjectRef;
}

/** A workflow at work. */
export interface RunningWorkflow {
  hear(entry: JournalEntry): void;
  run(entries: readonly JournalEntry[], signal?: AbortSignal): Promise<WorkflowOutcome>;
}

type Parts = Omit<WorkflowDriverComponents<unknown>, "machine" | "strategy"> & StrategyComponents;
type CreateDriver<Settings> = (settings: Settings, start: WorkflowStart, parts: Parts) => RunningWorkflow;

/** Every workflow, by the kind of its settings: a new one is one line here. */
const workflows: { readonly [Kind in WorkflowSettings["kind"]]: CreateDriver<Extract<WorkflowSettings, { kind: Kind }>> } = {
  FedAvg: (settings, start, parts) => {
    const { sites, mandatoryClients } = start.job;
    const strategy = withoutTensors(createJobStrategy(settings.strategy, parts), settings.excludeVars);
    const machine = roundMachine({ settings, sites, mandatoryClients, initialModel: start.initialModel });
    const taskMeta = { ...trainerMeta(strategy, settings.fedproxMu), ...startRoundMeta(settings.startRound) };
    return new WorkflowDriver({ ...parts, machine, strategy }, { workspace: start.job.workspace, taskMeta });
  },
};

/** Puts the workflow that the settings ask for to work. */
export function workflowDriver(settings: WorkflowSettings, start: WorkflowStart, parts: Parts): RunningWorkflow {
  return workflows[settings.kind](settings, start, parts);
}
