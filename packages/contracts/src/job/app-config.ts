import { z } from "zod";
import type { ReadDocument } from "../documents/read-document.js";
import type { Problem } from "../errors/flare-error.js";
import { type ClientComponent, cleansersOf, clientComponentsSchema, serverComponentsSchema } from "./app-components.js";
import { psiComponentsUsed, psiItemsOf } from "./check-psi-components.js";
import {
  type ClientApiExecutorArgs,
  type ClientApiExecutorSettings,
  clientApiExecutorClass,
  compileClientApiExecutor,
} from "./client-api-executor.js";
import { type ComponentClass, componentShape, readComponent } from "./component.js";
import { ignoredSettingsIn, ignoredSettingsShape } from "./ignored-settings.js";
import { jobPathClash } from "./job-path.js";
import { compilePsiExecutor, type PsiExecutorArgs, psiExecutorClass } from "./psi-executor.js";
import { idleFiltersSchema, type ResultFilterSettings, siteResultFiltersSchema } from "./result-filters.js";
import type { SiteHierarchy } from "./site-hierarchy.js";
import { defaultOutputPath } from "./statistics.js";
import { compileStatisticsExecutor, type StatisticsExecutorArgs, statisticsExecutorClass } from "./statistics-executor.js";
import { missingCleansers, withCleansers } from "./statistics-filters.js";
import type { WorkflowJob } from "./workflow-job.js";
import { compileWorkflow, type WorkflowStage, workflowsSchema } from "./workflows.js";

/** What the server's job process runs. */
export interface ServerAppSettings {
  /** In the order in which they run; one at least. */
  readonly workflows: readonly WorkflowStage[];
  /**
   * The model that the first one with a model starts from: a safetensors file, relative to the folder of the server's app. `undefined` where
   * none has one.
   */
  readonly initialModel: string | undefined;
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
  // Models go to sites as they are, so nothing is left to be undone there.
  task_data_filters: idleFiltersSchema,
  ...ignoredSettingsShape,
};

const executorClasses: readonly ComponentClass<ExecutorArgs>[] = [
  { ...clientApiExecutorClass, args: clientApiExecutorClass.args.transform((args) => ({ kind: "ClientAPIExecutor" as const, ...args })) },
  statisticsExecutorClass,
  psiExecutorClass,
];

/** Arguments of an executor as a job writes them, told apart by `kind`. */
export type ExecutorArgs = ({ readonly kind: "ClientAPIExecutor" } & ClientApiExecutorArgs) | StatisticsExecutorArgs | PsiExecutorArgs;

const executorSchema = z.strictObject({ id: z.string().min(1).optional(), ...componentShape }).transform((written, context) => {
  const component = readComponent("executor", executorClasses, written, context);
  return component === undefined ? z.NEVER : component;
});

/** `config/config_fed_server.json`. */
export const serverConfigSchema = z
  .strictObject({
    ...sharedShape,
    components: serverComponentsSchema,
    task_result_filters: idleFiltersSchema,
    workflows: workflowsSchema,
  })
  .superRefine(({ workflows, components }, context) => {
    const named = workflows.map(({ args }) => (args.kind === "Statistics" ? args.writer_id : undefined));
    named.forEach((id, index) => {
      if (id === undefined) return;
      const complain = (message: string): void =>
        context.addIssue({ code: "custom", path: ["workflows", index, "args", "writer_id"], message });
      if (!components.some((one) => one.id === id)) complain(`no component has the id '${id}'`);
      else if (named.indexOf(id) < index) complain(`'${id}' writes the result of a workflow before`);
    });
    const places = workflows.flatMap(({ id, args }, index) => {
      if (args.kind !== "Statistics") return [];
      const writer = components.find((one) => one.id === args.writer_id);
      return [{ index, path: writer?.writer.output_path ?? defaultOutputPath(id) }];
    });
    const clash = jobPathClash(places.map(({ path }) => path));
    const second = places.findLast(({ path }) => path === clash?.[1]);
    if (clash === undefined || second === undefined) return;
    const writer = named[second.index];
    // Told already.
    if (writer !== undefined && named.indexOf(writer) < second.index) return;
    const message = `its result would be '${clash[1]}', where '${clash[0]}' is; give it a writer with another output_path`;
    context.addIssue({ code: "custom", path: ["workflows", second.index, "args"], message });
  });

/** `config/config_fed_client.json`. */
export const clientConfigSchema = z
  .strictObject({
    ...sharedShape,
    components: clientComponentsSchema,
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
  })
  .superRefine(({ executors, components, task_result_filters: lists }, context) => {
    const complain = (path: readonly PropertyKey[], message: string): void =>
      context.addIssue({ code: "custom", path: [...path], message });
    const generators = executors.map(({ executor: { args } }) => (args.kind === "StatisticsExecutor" ? args.generator_id : undefined));
    generators.forEach((id, index) => {
      const found = components.find((one) => one.id === id);
      const path = ["executors", index, "executor", "args", "generator_id"];
      if (id !== undefined && found === undefined) complain(path, `no component has the id '${id}'`);
      else if (found !== undefined && found.kind !== "generator")
        complain(path, `'${id ?? ""}' is ${componentWords[found.kind]}, and computes no statistics`);
    });
    const used = executors.flatMap(({ executor: { args } }, index) => {
      if (args.kind !== "PSIExecutor") return [];
      const items = psiItemsOf(args.psi_algo_id, components);
      if ("message" in items) {
        const { at, message } = items;
        complain(
          at === undefined ? ["executors", index, "executor", "args", "psi_algo_id"] : ["components", at.component, "args", at.arg],
          message,
        );
      }
      return psiComponentsUsed(args.psi_algo_id, components);
    });
    components.forEach((one, index) => {
      if (one.kind !== "cleanser" && !generators.includes(one.id) && !used.includes(one.id))
        complain(
          ["components", index, "path"],
          "is of no use: components are cleansers, what a StatisticsExecutor names by 'generator_id', and what a PSIExecutor leads to by 'psi_algo_id'",
        );
    });
    lists.forEach(({ filters }, list) => {
      for (const { index, id } of missingCleansers(filters, cleansersOf(components)))
        complain(
          ["task_result_filters", list, "filters", index, "args", "result_cleanser_ids"],
          `no component is a cleanser with the id '${id}'`,
        );
    });
  });

const componentWords = {
  cleanser: "a cleanser",
  "psi-handler": "for an intersection",
  "psi-writer": "a writer of intersections",
  "csv-items": "a column of identifiers",
} as const;

export type ServerConfigDocument = z.output<typeof serverConfigSchema>;
export type ClientConfigDocument = z.output<typeof clientConfigSchema>;

/** Files of hierarchies of sites that the workflows of a server's app name: of each the workflow's place, and the path inside the app. */
export function hierarchyFilesOf({ workflows }: ServerConfigDocument): readonly { readonly index: number; readonly path: string }[] {
  return workflows.flatMap(({ args }, index) =>
    args.kind === "Statistics" && args.hierarchy_config !== undefined ? [{ index, path: hierarchyPath(args.hierarchy_config) }] : [],
  );
}

/** As in FLARE, they stand beside the configuration. */
const hierarchyPath = (file: string): string => `config/${file}`;

/**
 * Settings of the server's app for the sites that take part.
 *
 * @param hierarchies - what the files say that `hierarchyFilesOf` names, by their paths
 */
export function compileServerConfig(
  document: ServerConfigDocument,
  job: WorkflowJob,
  hierarchies: ReadonlyMap<string, SiteHierarchy> = new Map(),
): ServerAppSettings {
  const initialModel = document.workflows.find(({ args }) => args.initial_model !== undefined)?.args.initial_model;
  const writerOf = (id: string | undefined) => document.components.find((one) => one.id === id)?.writer.output_path;
  const hierarchyOf = (file: string): SiteHierarchy => {
    const found = hierarchies.get(hierarchyPath(file));
    if (found === undefined) throw new TypeError(`nobody has read the hierarchy ${file}`);
    return found;
  };
  const workflows = document.workflows.map((workflow) => compileWorkflow(workflow, job, { outputPathOf: writerOf, hierarchyOf }));
  return Object.freeze({ workflows: Object.freeze(workflows), initialModel });
}

/** Settings of a site's app. */
export function compileClientConfig(document: ClientConfigDocument): ClientAppSettings {
  const { components, task_result_filters: filters } = document;
  const cleansers = cleansersOf(components);
  const executors = document.executors.map(({ tasks, executor }) =>
    Object.freeze({ tasks: Object.freeze([...tasks]), executor: compileExecutor(executor.args, components) }),
  );
  const resultFilters = filters.map((list) => Object.freeze({ ...list, filters: Object.freeze(withCleansers(list.filters, cleansers)) }));
  return Object.freeze({ executors: Object.freeze(executors), resultFilters: Object.freeze(resultFilters) });
}

function compileExecutor(args: ExecutorArgs, components: readonly ClientComponent[]): ClientApiExecutorSettings {
  if (args.kind === "ClientAPIExecutor") return compileClientApiExecutor(args);
  if (args.kind === "PSIExecutor") {
    const items = psiItemsOf(args.psi_algo_id, components);
    if ("message" in items) throw new TypeError("the schema lets no executor without its components through");
    return compilePsiExecutor(args, items);
  }
  const found = components.find(({ id }) => id === args.generator_id);
  if (found?.kind !== "generator") throw new TypeError("the schema lets no executor without its generator through");
  return compileStatisticsExecutor(args, found.generator);
}

/**
 * Whether a site's app starts programs of the submitter's choice without a file in `custom/`: a `command` may be anything, and so may a class
 * that computes statistics or loads identifiers, so either needs the right `byoc` just as code does.
 */
export function runsCommand({ executors, components }: ClientConfigDocument): boolean {
  const isCommand = executors.some(({ executor: { args } }) => args.kind === "ClientAPIExecutor" && args.command !== undefined);
  return isCommand || components.some((one) => one.kind === "generator" && one.isOwn);
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
  const components =
    "workflows" in value
      ? value.components.flatMap(({ ignored }, index) =>
          ignored.map(([name, reason]) => document.problemAt(["components", index, "args", name], reason)),
        )
      : [];
  return [...settings, ...args, ...components];
}
