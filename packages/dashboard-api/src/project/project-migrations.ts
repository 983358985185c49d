import type { Migration } from "kysely/migration";

/** Tables of the project and its sites. */
export const projectMigrations: Readonly<Record<string, Migration>> = {
  "200-project": {
    async up(db) {
      await db.schema
        .createTable("project")
        .addColumn("id", "text", (column) => column.primaryKey())
        .addColumn("state", "text", (column) => column.notNull())
        .addColumn("name", "text", (column) => column.notNull())
        .addColumn("title", "text", (column) => column.notNull())
        .addColumn("description", "text", (column) => column.notNull())
        .addColumn("starts_at_ms", "bigint")
        .addColumn("ends_at_ms", "bigint")
        .addColumn("server", "text")
        .addColumn("connection_security", "text", (column) => column.notNull())
        .addColumn("allow_log_streaming", "integer", (column) => column.notNull())
        .addColumn("certificates", "text", (column) => column.notNull())
        .addColumn("studies", "text", (column) => column.notNull())
        .addColumn("site_properties", "text", (column) => column.notNull())
        .addColumn("docker_image", "text")
        .addColumn("frozen_at_ms", "bigint")
        .addColumn("frozen_by", "text")
        .addColumn("version", "integer", (column) => column.notNull())
        .execute();
      await db
        .insertInto("project")
        .values({
          id: "project",
          state: "draft",
          name: "",
          title: "",
          description: "",
          connection_security: "mtls",
          allow_log_streaming: 0,
          certificates: "{}",
          studies: "[]",
          site_properties: "[]",
          version: 1,
        })
        .execute();
    },
  },
  "210-sites": {
    async up({ schema }) {
      await schema
        .createTable("sites")
        .addColumn("id", "text", (column) => column.primaryKey())
        .addColumn("name", "text", (column) => column.notNull())
        .addColumn("name_key", "text", (column) => column.notNull().unique())
        .addColumn("organization", "text", (column) => column.notNull())
        .addColumn("description", "text", (column) => column.notNull())
        .addColumn("state", "text", (column) => column.notNull())
        .addColumn("gpus", "integer", (column) => column.notNull())
        .addColumn("mem_per_gpu_gib", "double precision", (column) => column.notNull())
        .addColumn("properties", "text", (column) => column.notNull())
        .addColumn("allow_log_streaming", "integer", (column) => column.notNull())
        .addColumn("created_at_ms", "bigint", (column) => column.notNull())
        .addColumn("created_by", "text", (column) => column.notNull())
        .addColumn("decided_at_ms", "bigint")
        .addColumn("decided_by", "text")
        .addColumn("decision_note", "text", (column) => column.notNull())
        .execute();
    },
  },
  "420-who-changed": {
    async up({ schema }) {
      await schema
        .alterTable("sites")
        .addColumn("version", "integer", (column) => column.notNull().defaultTo(1))
        .execute();
      await schema.alterTable("sites").addColumn("changed_by", "text").execute();
      await schema.alterTable("project").addColumn("changed_by", "text").execute();
    },
  },
};
