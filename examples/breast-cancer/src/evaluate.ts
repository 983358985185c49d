import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { decodeSafetensors } from "@flare-ts/aggregator";
import { fromParams, type Model, type Score, score } from "../job/app/custom/model.ts";
import { type SiteRows, siteRows } from "../job/app/custom/round.ts";
import { type Row, readTable } from "../job/app/custom/table.ts";
import { type Sites, simulate } from "./simulate.ts";
import type { Place } from "./split-table.ts";

const defaultDataFolder = join(import.meta.dirname, "..", "data");

/** Sites of the example. */
export const hospitals = ["hospital-a", "hospital-b", "hospital-c"] as const;

/** One model on the held-out patients. */
export interface EvaluatedModel extends Score {
  /** Who trained it: `federated`, the name of a hospital, or `pooled`. */
  readonly name: string;
  /** Patients that it was trained on. */
  readonly patients: number;
  /** Held-out patients that it was judged on. */
  readonly judgedOn: number;
}

export interface EvaluateInit {
  /** The global model of the federation, a safetensors file. */
  readonly modelPath: string;
  /** Folder with the tables. @default the example's own */
  readonly dataFolder?: string;
}

/**
 * Compares the model of the federation with what each hospital reaches alone and with a model trained on all rows in one
 * place, by the same steps, on the same patients, whom nobody trained on.
 *
 * @throws FlareError `aggregate/safetensors-…` when the file is not a model
 */
export function evaluate({ modelPath, dataFolder = defaultDataFolder }: EvaluateInit): readonly EvaluatedModel[] {
  const tables = new Map([...hospitals, "held-out" as const].map((name) => [name, readTable(join(dataFolder, name, "wdbc.csv"))]));
  const federated = fromParams(Object.fromEntries(decodeSafetensors(readFileSync(modelPath), modelPath)));
  return compare(tables, () => federated);
}

/** The same for any tables and any way to train a federated model. */
export function compare(tables: ReadonlyMap<Place, readonly Row[]>, federate: (sites: Sites) => Model): readonly EvaluatedModel[] {
  const heldOut = tables.get("held-out") ?? [];
  const sites = Object.fromEntries(hospitals.map((name) => [name, siteRows(tables.get(name) ?? [])]));
  const pooled: SiteRows = {
    training: Object.values(sites).flatMap(({ training }) => training),
    validation: Object.values(sites).flatMap(({ validation }) => validation),
  };
  const judge = (name: string, patients: number, model: Model): EvaluatedModel => ({
    name,
    patients,
    judgedOn: heldOut.length,
    ...score(model, heldOut),
  });
  return [
    judge("federated", pooled.training.length, federate(sites)),
    ...Object.entries(sites).map(([name, rows]) => judge(name, rows.training.length, simulate({ [name]: rows }))),
    judge("pooled", pooled.training.length, simulate({ pooled })),
  ];
}

if (process.argv[1] === import.meta.filename) {
  const { values } = parseArgs({ options: { model: { type: "string" } } });
  if (values.model === undefined) throw new Error("usage: node src/evaluate.ts --model <file>");
  for (const { name, patients, accuracy, loss } of evaluate({ modelPath: values.model })) {
    console.log(`${name.padEnd(12)}${String(patients).padStart(5)} patients  accuracy ${accuracy.toFixed(4)}  loss ${loss.toFixed(4)}`);
  }
}
