import type { ParamsType } from "../../job/job-event.js";
import type { BigIntColumn, FlagColumn, JsonColumn } from "./columns.js";

/** Tables of a site's store. */
export interface SiteTables {
  readonly results: ResultsTable;
  readonly ended_jobs: EndedJobsTable;
}

export interface ResultsTable {
  job_id: string;
  round: number;
  task: string;
  /** Order of arrival. */
  position: BigIntColumn;
  update_hash: string;
  update_size: BigIntColumn;
  params_type: ParamsType;
  weight: number;
  metrics: JsonColumn;
  meta: JsonColumn;
  is_acknowledged: FlagColumn;
  /** The model that the update was made of; null in rows of older versions. */
  base_hash: string | null;
  base_size: BigIntColumn | null;
}

export interface EndedJobsTable {
  job_id: string;
}
