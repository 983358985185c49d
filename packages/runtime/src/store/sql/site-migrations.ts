import type { Kysely } from "kysely";
import type { Migration } from "kysely/migration";

/** Migrations of a site's store; a released one never changes. */
export const siteMigrations: Readonly<Record<string, Migration>> = {
  "0001-results-ended-jobs": { up: createTables },
  "0002-results-base": { up: addBase },
};

async function createTables(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("results")
    .addColumn("job_id", "text", (column) => column.notNull())
    .addColumn("round", "integer", (column) => column.notNull())
    .addColumn("task", "text", (column) => column.notNull())
    .addColumn("position", "bigint", (column) => column.notNull().unique())
    .addColumn("update_hash", "text", (column) => column.notNull())
    .addColumn("update_size", "bigint", (column) => column.notNull())
    .addColumn("params_type", "text", (column) => column.notNull())
    .addColumn("weight", "double precision", (column) => column.notNull())
    .addColumn("metrics", "text", (column) => column.notNull())
    .addColumn("meta", "text", (column) => column.notNull())
    .addColumn("is_acknowledged", "integer", (column) => column.notNull())
    .addPrimaryKeyConstraint("results_key", ["job_id", "round", "task"])
    .execute();
  await db.schema.createIndex("results_by_acknowledgement").on("results").columns(["is_acknowledged", "position"]).execute();
  await db.schema
    .createTable("ended_jobs")
    .addColumn("job_id", "text", (column) => column.primaryKey())
    .execute();
}

async function addBase(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable("results").addColumn("base_hash", "text").execute();
  await db.schema.alterTable("results").addColumn("base_size", "bigint").execute();
}
