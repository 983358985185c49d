import type { Migration } from "kysely/migration";

/** The table of the audit trail. It points at nobody: entries stay when people go. */
export const auditMigrations: Readonly<Record<string, Migration>> = {
  "130-audit": {
    async up({ schema }) {
      await schema
        .createTable("audit")
        .addColumn("id", "text", (column) => column.primaryKey())
        .addColumn("at_ms", "bigint", (column) => column.notNull())
        .addColumn("actor", "text", (column) => column.notNull())
        .addColumn("actor_id", "text")
        .addColumn("action", "text", (column) => column.notNull())
        .addColumn("subject", "text", (column) => column.notNull())
        .addColumn("outcome", "text", (column) => column.notNull())
        .addColumn("address", "text", (column) => column.notNull())
        .addColumn("facts", "text", (column) => column.notNull())
        .execute();
      await schema.createIndex("audit_order").on("audit").columns(["at_ms", "id"]).execute();
    },
  },
};
