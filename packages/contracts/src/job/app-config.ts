import { z } from "zod";
import type { ReadDocument } from "../documents/read-document.js";
import type { Problem } from "../errors/flare-error.js";
import { type ClientApiExecutorSettings, clientApiExecutorClass, compileClientApiExecutor } from "./client-api-executor.js";
import { componentShape, readComponent } from "./component.js";
import { ignoredSettingsIn, ignoredSettingsShape, isEmpty } from "./ignored-settings.js";
import { idleFiltersSchema, type ResultFilterSettings, siteResultFiltersSchema } from "./result-filters.js";
import type { WorkflowJob } from "./workflow-job.js";
import { compileWorkflow, type WorkflowStage, workflowsSchema } from "./workflows.js";

/** What the server's job process runs. */
export interface ServerAppSettings {
  /** In the order in which they run; one at least. */
  readonly workflows: readonly WorkflowStage[];
  /** The model that the first one starts from: a safetensors file, relative to the folder of the server's app. */
  readonly initialModel: string;
}

/** What a site's job process runs. */
export interface ClientAppSettings {
  readonly executors: readonly ExecutorSettings[];
  /** How results are sent; the first filter that fits a task is its own. */
  readonly resultFilters: readonly ResultFilterSettings[];
}

export interface ExecutorSettings {
  /** Names of tasks; `*` at the end stands for any rest. The first executor that fits gets the task. */
  readonly tasks: readonly string[];
  readonly executor: ClientApiExecutorSettings;
}

const formatVersion = z.unknown().refine((version) => version === 2, "must be 2");

const sharedShape = {
  format_version: formatVersion,
  components: notYet("components"),
  // Models go to sites as they are, so nothing is left to be undone there.
  task_data_filters: idleFiltersSchema,
  ...ignoredSettingsShape,
};

const executorSchema = z.strictObject({ id: z.string().min(1).optional(), ...componentShape }).transform((written, context) => {
  const component = readComponent("executor", [clientApiExecutorClass], written, context);
  return component === undefined ? z.NEVER : component;
});

/** `config/config_fed_server.json`. */
export const serverConfigSchema = z.strictObject({
  ...sharedShape,
  task_result_filters: idleFiltersSchema,
  workflows: workflowsSchema,
});

/** `config/config_fed_client.json`. */
export const clientConfigSchema = z.strictObject({
  ...sharedShape,
  task_result_filters: siteResultFiltersSchema,
  executors: z
    .array(
      z.strictObject({
        tasks: z
          .array(
            z
              .string()
              .regex(/^[^*]*\*?$/, "may have a * at its end only")
              .min(1),
          )
          .min(1, "needs the name of a task"),
        executor: executorSchema,
      }),
    )
    .min(1, "needs an executor"),
});

export type ServerConfigDocument = z.output<typeof serverConfigSchema>;
export type ClientConfigDocument = z.output<typeof clientConfigSchema>;

/** Settings of the server's app for the sites that take part. */
export function compileServerConfig(document: ServerConfigDocument, job: WorkflowJob): ServerAppSettings {
  const initialModel = document.workflows[0]?.args.initial_model;
  if (initialModel === undefined) throw new TypeError("the schema lets no document without a first model through");
  const workflows = document.workflows.map((workflow) => compileWorkflow(workflow, job));
  return Object.freeze({ workflows: Object.freeze(workflows), initialModel });
}

/** Settings of a site's app. */
export function compileClientConfig(document: ClientConfigDocument): ClientAppSettings {
  const executors = document.executors.map(({ tasks, executor }) =>
    Object.freeze({ tasks: Object.freeze([...tasks]), executor: compileClientApiExecutor(executor.args) }),
  );
  return Object.freeze({ executors: Object.freeze(executors), resultFilters: Object.freeze([...document.task_result_filters]) });
}

/**
 * Whether a site's app starts programs of the submitter's choice without a file in `custom/`: a `command` may be anything,
 * so it needs the right `byoc` just as code does.
 */
export function runsCommand(document: ClientConfigDocument): boolean {
  return document.executors.some(({ executor }) => executor.args.command !== undefined);
}

/** Settings of FLARE in a document that are accepted and do nothing here. */
export function appConfigWarnings(document: ReadDocument<ServerConfigDocument | ClientConfigDocument>): readonly Problem[] {
  const { value } = document;
  const settings = ignoredSettingsIn(value).map((name) =>
    document.problemAt([name], `'${name}' has no effect here: nothing is polled and nothing runs into this time-out`),
  );
  const args =
    "executors" in value
      ? value.executors.flatMap(({ executor }, index) =>
          executor.ignored.map(([name, reason]) => document.problemAt(["executors", index, "executor", "args", name], reason)),
        )
      : value.workflows.flatMap(({ ignored }, index) =>
          ignored.map(([name, reason]) => document.problemAt(["workflows", index, "args", name], reason)),
        );
  return [...settings, ...args];
}

function notYet(name: string) {
  return z.unknown().optional().refine(isEmpty, `${name} are not supported yet; remove them or leave the list empty`);
}
