import { defaultStudy } from "@flare-ts/contracts";
import type { Kysely } from "kysely";
import type { Migration } from "kysely/migration";

/** Migrations of the server's store; a released one never changes. */
export const serverMigrations: Readonly<Record<string, Migration>> = {
  "0001-jobs-journal-tasks": { up: createTables },
  "0002-study-of-a-job": { up: addStudy },
};

async function createTables(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("jobs")
    .addColumn("job_id", "text", (column) => column.primaryKey())
    .addColumn("position", "bigint", (column) => column.notNull().unique())
    .addColumn("name", "text", (column) => column.notNull())
    .addColumn("status", "text", (column) => column.notNull())
    .addColumn("is_finished", "integer", (column) => column.notNull())
    .addColumn("submitter_name", "text", (column) => column.notNull())
    .addColumn("submitter_org", "text", (column) => column.notNull())
    .addColumn("submitter_role", "text", (column) => column.notNull())
    .addColumn("submit_time_ms", "bigint", (column) => column.notNull())
    .addColumn("start_time_ms", "bigint")
    .addColumn("end_time_ms", "bigint")
    .addColumn("reason", "text", (column) => column.notNull())
    .addColumn("signed_job_hash", "text", (column) => column.notNull())
    .addColumn("signed_job_size", "bigint", (column) => column.notNull())
    .addColumn("apps", "text", (column) => column.notNull())
    .addColumn("result_hash", "text")
    .addColumn("result_size", "bigint")
    .addColumn("last_seq", "bigint", (column) => column.notNull())
    .execute();
  await db.schema.createIndex("jobs_by_status").on("jobs").columns(["is_finished", "status"]).execute();
  await db.schema
    .createTable("journal")
    .addColumn("job_id", "text", (column) => column.notNull().references("jobs.job_id").onDelete("cascade"))
    .addColumn("seq", "bigint", (column) => column.notNull())
    .addColumn("at_ms", "bigint", (column) => column.notNull())
    .addColumn("event", "text", (column) => column.notNull())
    .addPrimaryKeyConstraint("journal_key", ["job_id", "seq"])
    .execute();
  await db.schema
    .createTable("tasks")
    .addColumn("job_id", "text", (column) => column.notNull().references("jobs.job_id").onDelete("cascade"))
    .addColumn("round", "integer", (column) => column.notNull())
    .addColumn("task", "text", (column) => column.notNull())
    .addColumn("site", "text", (column) => column.notNull())
    .addColumn("model_hash", "text", (column) => column.notNull())
    .addColumn("model_size", "bigint", (column) => column.notNull())
    .addColumn("total_rounds", "integer", (column) => column.notNull())
    .addColumn("meta", "text", (column) => column.notNull())
    .addColumn("answer", "text", (column) => column.notNull())
    .addColumn("is_closed", "integer", (column) => column.notNull())
    .addPrimaryKeyConstraint("tasks_key", ["job_id", "round", "task", "site"])
    .execute();
  await db.schema.createIndex("tasks_by_site").on("tasks").columns(["site", "answer", "is_closed"]).execute();
}

/** Jobs of before there were studies belong to that of everybody. */
async function addStudy(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .alterTable("jobs")
    .addColumn("study", "text", (column) => column.notNull().defaultTo(defaultStudy))
    .execute();
  await db.schema.createIndex("jobs_by_study").on("jobs").columns(["study", "position"]).execute();
}
