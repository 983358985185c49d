import { z } from "zod";
import type { Json } from "../errors/flare-error.js";
import { componentShape, readComponent } from "./component.js";
import { isEmpty } from "./ignored-settings.js";
import { type PsiComponent, psiComponentClasses } from "./psi-components.js";
import { type NamedCleanser, type StatisticsFilter, statisticsFilterClasses } from "./statistics-filters.js";
import type { StatisticsGenerator } from "./statistics-generator.js";
import { jsonStatsFileWriterClass, type StatisticsWriterArgs } from "./statistics-writer.js";

/** A component of a server's app: what writes the result of statistics, and no other. */
export interface ServerComponent {
  readonly id: string;
  readonly writer: StatisticsWriterArgs;
  readonly ignored: readonly (readonly [string, string])[];
}

/** A component of a site's app: a cleanser of statistics, what computes them, or what an intersection needs. */
export type ClientComponent = { readonly id: string } & (
  | { readonly kind: "cleanser"; readonly filter: StatisticsFilter }
  | { readonly kind: "generator"; readonly generator: StatisticsGenerator; readonly isOwn: boolean }
  | PsiComponent
);

/** The class of ours that computes statistics of a CSV file of the site; any other is code of the job. */
const csvStatistics = { name: "CsvStatistics", path: "flare_client.statistics.csv_statistics.CsvStatistics" };

const csvArgsSchema = z.strictObject({
  datasets: z.array(z.string().min(1)).min(1, "needs the name of a data set").optional(),
  delimiter: z.string().length(1, "must be one character").optional(),
});

const componentSchema = z.strictObject({ id: z.string().min(1), ...componentShape });

/** `components` of a server's app. */
export const serverComponentsSchema = listOf(
  componentSchema.transform((written, context): ServerComponent => {
    const read = readComponent("component", [jsonStatsFileWriterClass], written, advising(context));
    return read === undefined ? z.NEVER : { id: written.id, writer: read.args, ignored: read.ignored };
  }),
);

/** `components` of a site's app. */
export const clientComponentsSchema = listOf(
  componentSchema.transform((written, context): ClientComponent => {
    const { id, path, args } = written;
    if (path === csvStatistics.name || path === csvStatistics.path) {
      const read = readComponent(
        "component",
        [{ name: csvStatistics.name, args: csvArgsSchema, argNames: Object.keys(csvArgsSchema.shape), refusedArgs: {} }],
        { path: csvStatistics.name, args },
        context,
      );
      if (read === undefined) return z.NEVER;
      return { id, kind: "generator", generator: { path: csvStatistics.path, args: read.args }, isOwn: false };
    }
    const isPython = /^[A-Za-z_]\w*(\.[A-Za-z_]\w*)+$/.test(path) && !/^(nvflare|flare_client)\./.test(path);
    if (isPython) return { id, kind: "generator", generator: { path, args: args as Record<string, Json> }, isOwn: true };
    const read = readComponent<StatisticsFilter | PsiComponent>("component", siteClasses, written, advising(context));
    if (read === undefined) return z.NEVER;
    return isPsiComponent(read.args) ? { id, ...read.args } : { id, kind: "cleanser", filter: read.args };
  }),
);

const siteClasses = [...statisticsFilterClasses, ...psiComponentClasses];

function isPsiComponent(args: StatisticsFilter | PsiComponent): args is PsiComponent {
  return args.kind === "psi-handler" || args.kind === "psi-writer" || args.kind === "csv-items";
}

/** FLARE's jobs have components for what is built in here: models, their files, and what becomes of them. */
function advising(context: IssueContext): IssueContext {
  return {
    addIssue: (issue) => {
      const isStranger = issue.path.length === 1 && issue.path[0] === "path";
      context.addIssue(isStranger ? { ...issue, message: `${issue.message}; what others do is built in: remove it` } : issue);
    },
  };
}

/** What a zod transform gives to report mistakes with. */
type IssueContext = Parameters<typeof readComponent>[3];

/** The cleansers among components. */
export function cleansersOf(components: readonly ClientComponent[]): readonly NamedCleanser[] {
  return components.flatMap((one) => (one.kind === "cleanser" ? [{ id: one.id, filter: one.filter }] : []));
}

/** A list that may be left out, or empty in any of the ways in which FLARE's exporters write that. */
function listOf<Component extends { readonly id: string }>(schema: z.ZodType<Component>) {
  const list = z.array(schema).superRefine((components, context) => {
    const ids = components.map(({ id }) => id);
    ids.forEach((id, index) => {
      if (ids.indexOf(id) < index)
        context.addIssue({ code: "custom", path: [index, "id"], message: `'${id}' is the id of a component before` });
    });
  });
  return z
    .unknown()
    .optional()
    .transform((written) => (isEmpty(written) ? [] : written))
    .pipe(list);
}
