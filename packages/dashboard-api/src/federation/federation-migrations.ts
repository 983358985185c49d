import type { Migration } from "kysely/migration";

/** Tables of the federation at work. */
export const federationMigrations: Readonly<Record<string, Migration>> = {
  "300-submitted-jobs": {
    async up({ schema }) {
      await schema
        .createTable("submitted_jobs")
        .addColumn("job_id", "text", (column) => column.primaryKey())
        .addColumn("person_id", "text", (column) => column.notNull())
        .addColumn("email", "text", (column) => column.notNull())
        .addColumn("organization", "text", (column) => column.notNull())
        .addColumn("at_ms", "bigint", (column) => column.notNull())
        .execute();
    },
  },
};
