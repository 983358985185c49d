/** A job that somebody submitted through this dashboard. */
export interface SubmittedJobsTable {
  readonly job_id: string;
  readonly person_id: string;
  /** E-mail address and organisation at that time; people may go. */
  readonly email: string;
  readonly organization: string;
  readonly at_ms: number;
}

/** Tables of the federation at work. */
export interface FederationTables {
  readonly submitted_jobs: SubmittedJobsTable;
}
