import type { Database } from "../db/tables.js";
import type { Actor } from "../http/actor.js";
import type { Submitter } from "./federation-state.js";

/** Remembers who submitted which job: to the server all of them come from the dashboard. */
export class JobSubmitters {
  readonly #db: Database;
  readonly #now: () => number;
  readonly #known = new Map<string, Submitter>();

  private constructor(components: { readonly db: Database; readonly now: () => number }) {
    this.#db = components.db;
    this.#now = components.now;
  }

  static async open(components: { readonly db: Database; readonly now: () => number }): Promise<JobSubmitters> {
    const submitters = new JobSubmitters(components);
    const rows = await components.db.selectFrom("submitted_jobs").selectAll().execute();
    for (const { job_id, email, organization } of rows) submitters.#known.set(job_id, { name: email, organization });
    return submitters;
  }

  /** Who submitted a job through this dashboard. */
  of(jobId: string): Submitter | undefined {
    return this.#known.get(jobId);
  }

  /** Notes a submission, before the server hears of it: a job whose submitter is not known would be nobody's. */
  async note(jobId: string, { personId, email, organization }: Actor): Promise<void> {
    await this.#db
      .insertInto("submitted_jobs")
      .values({ job_id: jobId, person_id: personId, email, organization, at_ms: this.#now() })
      .execute();
    this.#known.set(jobId, { name: email, organization });
  }

  /** The job does not exist, or not any more. */
  async forget(jobId: string): Promise<void> {
    await this.#db.deleteFrom("submitted_jobs").where("job_id", "=", jobId).execute();
    this.#known.delete(jobId);
  }
}
