import { type ContentHash, FlareError } from "@flare-ts/contracts";
import { type Expression, type ExpressionBuilder, type Kysely, type Selectable, type SqlBool, sql, type Transaction } from "kysely";
import type { JobEvent, JournalEntry, TaskKey } from "../../job/job-event.js";
import type { AddedJob, AnswerEvent, JobChange, JobFilter, JobRecord, NewJob, ServerStore, TaskRecord } from "../server-store.js";
import { fromJsonText, toJsonText, toNumber } from "./columns.js";
import { GroupedWrites } from "./grouped-writes.js";
import { columnsFromChange, jobFromRow, jobNotFound, rowFromNewJob } from "./job-row.js";
import type { ServerTables, TaskAnswer, TasksTable } from "./server-tables.js";

/** The server's store over a SQL database; the queries are the same for SQLite and PostgreSQL. */
export class SqlServerStore implements ServerStore {
  readonly #db: Kysely<ServerTables>;
  readonly #acceptances: GroupedWrites<Arrival, Acceptance>;

  constructor(components: { readonly db: Kysely<ServerTables> }) {
    this.#db = components.db;
    this.#acceptances = new GroupedWrites({
      write: (arrivals) =>
        this.#db.transaction().execute(async (db) => {
          const acceptances: Acceptance[] = [];
          for (const arrival of arrivals) acceptances.push(await accept(db, arrival));
          return acceptances;
        }),
    });
  }

  async addJob(job: NewJob, first?: JobEvent): Promise<AddedJob> {
    return this.#db.transaction().execute(async (db) => {
      const existing = await db.selectFrom("jobs").selectAll().where("job_id", "=", job.jobId).executeTakeFirst();
      if (existing !== undefined) {
        if (existing.signed_job_hash === job.signedJob.hash) return { job: jobFromRow(existing), isNew: false };
        throw new FlareError("job/id-taken", `Job ${job.jobId} is here already, with other content.`, { facts: { jobId: job.jobId } });
      }
      const last = await db
        .selectFrom("jobs")
        .select(({ fn }) => fn.max("position").as("position"))
        .executeTakeFirst();
      const row = await db
        .insertInto("jobs")
        .values(rowFromNewJob(job, toNumber(last?.position ?? 0) + 1))
        .returningAll()
        .executeTakeFirstOrThrow();
      const added = { job: jobFromRow(row), isNew: true };
      return first === undefined ? added : { ...added, entry: await appendTo(db, job.jobId, job.submitTimeMs, first) };
    });
  }

  async job(jobId: string): Promise<JobRecord | undefined> {
    const row = await this.#db.selectFrom("jobs").selectAll().where("job_id", "=", jobId).executeTakeFirst();
    return row === undefined ? undefined : jobFromRow(row);
  }

  async jobs(filter: JobFilter = {}): Promise<readonly JobRecord[]> {
    const { study, statuses, submitterName, idPrefix, namePrefix, isReversed = false, after, limit } = filter;
    // `in ()` is an error in PostgreSQL.
    if (statuses?.length === 0) return [];
    let query = this.#db.selectFrom("jobs").selectAll();
    if (study !== undefined) query = query.where("study", "=", study);
    if (statuses !== undefined) query = query.where("status", "in", statuses);
    if (submitterName !== undefined) query = query.where("submitter_name", "=", submitterName);
    if (idPrefix !== undefined) query = query.where(startsWith("job_id", idPrefix));
    if (namePrefix !== undefined) query = query.where(startsWith("name", namePrefix));
    if (after !== undefined) {
      const beyond = this.#db.selectFrom("jobs").select("position").where("job_id", "=", after);
      query = query.where("position", isReversed ? "<" : ">", beyond);
    }
    query = query.orderBy("position", isReversed ? "desc" : "asc");
    if (limit !== undefined) query = query.limit(limit);
    const rows = await query.execute();
    return rows.map(jobFromRow);
  }

  async updateJob(jobId: string, change: JobChange): Promise<boolean> {
    return applyChange(this.#db, jobId, change);
  }

  async changeJob(jobId: string, change: JobChange, atMs: number, event: JobEvent): Promise<JournalEntry | undefined> {
    return this.#db.transaction().execute(async (db) => {
      return (await applyChange(db, jobId, change)) ? appendTo(db, jobId, atMs, event) : undefined;
    });
  }

  async deleteJob(jobId: string): Promise<boolean> {
    return this.#db.transaction().execute(async (db) => {
      const job = await db.selectFrom("jobs").select("is_finished").where("job_id", "=", jobId).executeTakeFirst();
      if (job === undefined) throw jobNotFound(jobId);
      if (toNumber(job.is_finished) === 0) return false;
      await db.deleteFrom("tasks").where("job_id", "=", jobId).execute();
      await db.deleteFrom("journal").where("job_id", "=", jobId).execute();
      await db.deleteFrom("jobs").where("job_id", "=", jobId).execute();
      return true;
    });
  }

  async append(jobId: string, atMs: number, event: JobEvent): Promise<JournalEntry> {
    return this.#db.transaction().execute(async (db) => appendTo(db, jobId, atMs, event));
  }

  async entries(jobId: string, afterSeq = 0, limit?: number): Promise<readonly JournalEntry[]> {
    const all = this.#db.selectFrom("journal").selectAll().where("job_id", "=", jobId).where("seq", ">", afterSeq).orderBy("seq");
    const rows = await (limit === undefined ? all : all.limit(limit)).execute();
    return rows.map(entryOf);
  }

  async entriesNaming(hash: ContentHash): Promise<readonly JournalEntry[]> {
    // A hash holds nothing that would mean more than itself in a pattern.
    const rows = await this.#db.selectFrom("journal").selectAll().where("event", "like", `%"${hash}"%`).execute();
    return rows.map(entryOf);
  }

  async openTasks(tasks: readonly TaskRecord[]): Promise<void> {
    await this.#db.transaction().execute(async (db) => {
      for (const jobId of new Set(tasks.map((task) => task.jobId))) {
        const job = await db.selectFrom("jobs").select("job_id").where("job_id", "=", jobId).executeTakeFirst();
        if (job === undefined) throw jobNotFound(jobId);
      }
      for (const task of tasks) {
        await db
          .insertInto("tasks")
          .values({
            job_id: task.jobId,
            round: task.round,
            task: task.task,
            site: task.site,
            model_hash: task.model.hash,
            model_size: task.model.size,
            total_rounds: task.totalRounds,
            meta: toJsonText(task.meta),
            answer: "none",
            is_closed: 0,
          })
          .onConflict((conflict) => conflict.columns(["job_id", "round", "task", "site"]).doNothing())
          .execute();
      }
    });
  }

  async closeTask(key: TaskKey): Promise<void> {
    await this.#db
      .updateTable("tasks")
      .set({ is_closed: 1 })
      .where("job_id", "=", key.jobId)
      .where("round", "=", key.round)
      .where("task", "=", key.task)
      .execute();
  }

  async openTasksOf(site: string): Promise<readonly TaskRecord[]> {
    const rows = await this.#db
      .selectFrom("tasks")
      .innerJoin("jobs", "jobs.job_id", "tasks.job_id")
      .selectAll("tasks")
      .where("tasks.site", "=", site)
      .where("tasks.answer", "=", "none")
      .where("tasks.is_closed", "=", 0)
      .where("jobs.is_finished", "=", 0)
      .orderBy("jobs.position")
      .orderBy("tasks.round")
      .orderBy("tasks.task")
      .execute();
    return rows.map(taskFromRow);
  }

  async openTasksFor({ jobId, round, task }: TaskKey): Promise<readonly TaskRecord[]> {
    const rows = await this.#db
      .selectFrom("tasks")
      .innerJoin("jobs", "jobs.job_id", "tasks.job_id")
      .selectAll("tasks")
      .where("tasks.job_id", "=", jobId)
      .where("tasks.round", "=", round)
      .where("tasks.task", "=", task)
      .where("tasks.answer", "=", "none")
      .where("tasks.is_closed", "=", 0)
      .where("jobs.is_finished", "=", 0)
      .orderBy("tasks.site")
      .execute();
    return rows.map(taskFromRow);
  }

  async acceptUpdate(atMs: number, key: TaskKey, update: AnswerEvent): Promise<Acceptance> {
    return await this.#acceptances.add({ atMs, key, update });
  }

  async failTask(atMs: number, key: TaskKey, failure: Extract<JobEvent, { type: "task-failed" }>): Promise<JournalEntry | undefined> {
    return this.#db.transaction().execute(async (db) => {
      if (!(await answer(db, key, failure.site, "failed"))) return undefined;
      return appendTo(db, key.jobId, atMs, failure);
    });
  }

  async close(): Promise<void> {
    await this.#db.destroy();
  }
}

type Acceptance = Awaited<ReturnType<ServerStore["acceptUpdate"]>>;

interface Arrival {
  readonly atMs: number;
  readonly key: TaskKey;
  readonly update: AnswerEvent;
}

async function accept(db: Transaction<ServerTables>, { atMs, key, update }: Arrival): Promise<Acceptance> {
  if (await answer(db, key, update.site, "accepted")) {
    return { outcome: "accepted", entry: await appendTo(db, key.jobId, atMs, update) };
  }
  const task = await db.selectFrom("tasks").select("answer").where(isTask(key, update.site)).executeTakeFirst();
  return { outcome: task?.answer === "accepted" ? "duplicate" : "late" };
}

/** Changes a job that is not finished; `false` when it is. */
async function applyChange(db: Kysely<ServerTables>, jobId: string, change: JobChange): Promise<boolean> {
  const columns = columnsFromChange(change);
  // `name = name` lets an empty change go the same way as every other.
  const { numUpdatedRows } = await db
    .updateTable("jobs")
    .set((eb) => ({ name: eb.ref("name"), ...columns }))
    .where("job_id", "=", jobId)
    .where("is_finished", "=", 0)
    .executeTakeFirstOrThrow();
  if (numUpdatedRows > 0n) return true;
  const known = await db.selectFrom("jobs").select("job_id").where("job_id", "=", jobId).executeTakeFirst();
  if (known === undefined) throw jobNotFound(jobId);
  return false;
}

function entryOf(row: Selectable<ServerTables["journal"]>): JournalEntry {
  return { jobId: row.job_id, seq: toNumber(row.seq), atMs: toNumber(row.at_ms), event: fromJsonText(row.event) as JobEvent };
}

/** Adds a journal entry; the row of the job is locked by the update, so that numbers follow one another without gaps. */
async function appendTo(db: Transaction<ServerTables>, jobId: string, atMs: number, event: JobEvent): Promise<JournalEntry> {
  const counted = await db
    .updateTable("jobs")
    .set({ last_seq: sql<number>`last_seq + 1` })
    .where("job_id", "=", jobId)
    .returning("last_seq")
    .executeTakeFirst();
  if (counted === undefined) throw jobNotFound(jobId);
  const seq = toNumber(counted.last_seq);
  await db
    .insertInto("journal")
    .values({ job_id: jobId, seq, at_ms: atMs, event: toJsonText(event) })
    .execute();
  return { jobId, seq, atMs, event };
}

/** Marks a task as answered when it waits for an answer; `false` when it does not, or its job is over. */
async function answer(db: Transaction<ServerTables>, key: TaskKey, site: string, said: TaskAnswer): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable("tasks")
    .set({ answer: said })
    .where(isTask(key, site))
    .where("answer", "=", "none")
    .where("is_closed", "=", 0)
    .where((eb) => eb.exists(eb.selectFrom("jobs").select("job_id").where("job_id", "=", key.jobId).where("is_finished", "=", 0)))
    .executeTakeFirstOrThrow();
  return numUpdatedRows > 0n;
}

type TaskCondition = (eb: ExpressionBuilder<ServerTables, "tasks">) => Expression<SqlBool>;

function isTask(key: TaskKey, site: string): TaskCondition {
  return (eb) => eb.and({ job_id: key.jobId, round: key.round, task: key.task, site });
}

/** Compares as written; `like` would fold case in SQLite and not in PostgreSQL. */
function startsWith(column: "job_id" | "name", prefix: string): Expression<SqlBool> {
  return sql<SqlBool>`substr(${sql.ref(column)}, 1, length(${prefix})) = ${prefix}`;
}

function taskFromRow(row: Selectable<TasksTable>): TaskRecord {
  return {
    jobId: row.job_id,
    round: row.round,
    task: row.task,
    site: row.site,
    model: { hash: row.model_hash as ContentHash, size: toNumber(row.model_size) },
    totalRounds: row.total_rounds,
    meta: fromJsonText(row.meta) as TaskRecord["meta"],
  };
}
