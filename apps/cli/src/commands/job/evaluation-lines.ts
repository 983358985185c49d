import type { Json } from "@flare-ts/contracts";
import { crossValidationResults, type EvaluatedModel, type ModelEvaluation } from "@flare-ts/runtime/admin";
import { metricText } from "../../terminal/quantities.js";
import { tableLines } from "../../terminal/table.js";
import type { Colors } from "../../terminal/terminal.js";
import { nameText } from "./name-text.js";

export interface EvaluationLinesInit {
  readonly colors: Colors;
  /** Characters in a line. */
  readonly columns: number;
  /** The metric by which the job's best model was chosen: it comes first. */
  readonly keyMetric: string | undefined;
}

/** Of more models, and of more tables, the first are shown; `--format json` has all of it, and so has a download. */
const mostModels = 30;
const mostTables = 6;
const mostNameColumns = 32;
/** Between two columns of a table. */
const gap = 2;

/**
 * What came of an evaluation, for people: for each metric a table of models by sites. One that would be wider than the terminal goes on in
 * further ones.
 */
export function evaluationLines(evaluation: ModelEvaluation, { colors, columns, keyMetric }: EvaluationLinesInit): string[] {
  const rows = evaluation.models.slice(0, mostModels).map(rowOf);
  const sites = [...new Set(rows.flatMap(({ found }) => [...found.keys()]))].toSorted();
  const metrics = metricsOf(rows, keyMetric);
  const workflow = evaluation.workflow === undefined ? "" : `${nameText(evaluation.workflow)}: `;
  const lines: string[] = [];
  let [tables, shownMetrics, shownSites] = [0, 0, 0];
  for (const metric of metrics) {
    const parts = partsOf(sites, { rows, metric, columns });
    if (tables > 0 && tables + parts.length > mostTables) break;
    const shown = parts.slice(0, mostTables);
    tables += shown.length;
    shownMetrics += 1;
    shownSites = shown.flat().length;
    lines.push(
      colors.bold(`${workflow}${nameText(metric)}, models by sites`),
      ...shown.flatMap((part) => tableOf(part, { rows, metric, columns })),
    );
  }
  const hidden = [
    countText(metrics.length - shownMetrics, "metric"),
    countText(evaluation.models.length - rows.length, "model"),
    countText(sites.length - shownSites, "site"),
  ].filter((text) => text !== "");
  if (lines.length === 0) return [`${workflow}no metrics of any model`];
  return hidden.length === 0 ? lines : [...lines, `  and ${hidden.join(", ")} more; --format json has them all`];
}

/** An evaluation as it stands in the JSON envelope. */
export function evaluationData(evaluation: ModelEvaluation): Json {
  const { workflow, models, notHandedIn } = evaluation;
  const missing = (sites: ModelEvaluation["notHandedIn"]): Json => sites.map(({ site, why }) => ({ site, why: why ?? null }));
  return {
    workflow: workflow ?? null,
    models: models.map((one) => ({ owner: one.owner, round: one.round, model: one.model.hash, missing: missing(one.missing) })),
    results: crossValidationResults(evaluation) as Json,
    notHandedIn: missing(notHandedIn),
  };
}

/** A model with what each site has found. */
interface Row {
  readonly owner: string;
  readonly found: ReadonlyMap<string, Readonly<Record<string, number>>>;
}

interface Table {
  readonly rows: readonly Row[];
  readonly metric: string;
  readonly columns: number;
}

function rowOf({ owner, found }: EvaluatedModel): Row {
  return { owner, found: new Map(found.map(({ site, metrics }) => [site, metrics])) };
}

/** Names of all metrics, that of the best model first, then by the alphabet. */
function metricsOf(rows: readonly Row[], keyMetric: string | undefined): readonly string[] {
  const names = [...new Set(rows.flatMap(({ found }) => [...found.values()].flatMap(Object.keys)))].toSorted();
  return keyMetric !== undefined && names.includes(keyMetric) ? [keyMetric, ...names.filter((name) => name !== keyMetric)] : names;
}

/** Sites in groups that have room beside the names of the models. */
function partsOf(sites: readonly string[], table: Table): readonly (readonly string[])[] {
  const most = nameColumns(table.columns);
  const room = table.columns - Math.max("MODEL".length, ...table.rows.map(({ owner }) => nameText(owner, most).length));
  const parts: string[][] = [];
  let used = room + 1;
  for (const site of sites) {
    const width = gap + Math.max(nameText(site, most).length, ...table.rows.map((row) => cellText(row, site, table.metric).length));
    if (used + width > room) {
      parts.push([]);
      used = 0;
    }
    parts.at(-1)?.push(site);
    used += width;
  }
  return parts;
}

function tableOf(sites: readonly string[], { rows, metric, columns }: Table): string[] {
  const most = nameColumns(columns);
  const titles = [{ title: "MODEL" }, ...sites.map((site) => ({ title: nameText(site, most), align: "right" as const }))];
  return tableLines(
    titles,
    rows.map((row) => [nameText(row.owner, most), ...sites.map((site) => cellText(row, site, metric))]),
  );
}

/** One model and one site have room in any case. */
function nameColumns(columns: number): number {
  return Math.max(1, Math.min(mostNameColumns, Math.floor((columns - gap) / 2)));
}

function cellText({ found }: Row, site: string, metric: string): string {
  const metrics = found.get(site);
  const value = metrics !== undefined && Object.hasOwn(metrics, metric) ? metrics[metric] : undefined;
  return value === undefined ? "-" : metricText(value);
}

function countText(count: number, what: string): string {
  return count <= 0 ? "" : `${count} ${what}${count === 1 ? "" : "s"}`;
}
