import type { BigIntColumn, FlagColumn, JsonColumn, NullableBigIntColumn } from "./columns.js";

/** Tables of the server's store, the same in every database. */
export interface ServerTables {
  readonly jobs: JobsTable;
  readonly journal: JournalTable;
  readonly tasks: TasksTable;
}

export interface JobsTable {
  job_id: string;
  /** Order of submission. */
  position: BigIntColumn;
  name: string;
  study: string;
  status: string;
  is_finished: FlagColumn;
  submitter_name: string;
  submitter_org: string;
  submitter_role: string;
  submit_time_ms: BigIntColumn;
  start_time_ms: NullableBigIntColumn;
  end_time_ms: NullableBigIntColumn;
  reason: string;
  signed_job_hash: string;
  signed_job_size: BigIntColumn;
  apps: JsonColumn;
  result_hash: string | null;
  result_size: NullableBigIntColumn;
  /** Sequence number of the last journal entry; counting here leaves no gaps, which a sequence of the database would. */
  last_seq: BigIntColumn;
}

export interface JournalTable {
  job_id: string;
  seq: BigIntColumn;
  at_ms: BigIntColumn;
  event: JsonColumn;
}

/** What a site has said to a task. */
export type TaskAnswer = "none" | "accepted" | "failed";

export interface TasksTable {
  job_id: string;
  round: number;
  task: string;
  site: string;
  model_hash: string;
  model_size: BigIntColumn;
  total_rounds: number;
  meta: JsonColumn;
  answer: TaskAnswer;
  is_closed: FlagColumn;
}
