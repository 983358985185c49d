import type { Migration } from "kysely/migration";

/** Tables of people and how they sign in, by name and in order. */
export const peopleMigrations: Readonly<Record<string, Migration>> = {
  "100-people": {
    async up({ schema }) {
      await schema
        .createTable("people")
        .addColumn("id", "text", (column) => column.primaryKey())
        .addColumn("email", "text", (column) => column.notNull().unique())
        .addColumn("name", "text", (column) => column.notNull())
        .addColumn("organization", "text", (column) => column.notNull())
        .addColumn("role", "text", (column) => column.notNull())
        .addColumn("state", "text", (column) => column.notNull())
        .addColumn("password_hash", "text")
        .addColumn("totp_secret", "text")
        .addColumn("totp_is_on", "integer", (column) => column.notNull().defaultTo(0))
        .addColumn("totp_last_step", "bigint", (column) => column.notNull().defaultTo(0))
        .addColumn("created_at_ms", "bigint", (column) => column.notNull())
        .addColumn("last_sign_in_at_ms", "bigint")
        .execute();
      await schema
        .createTable("recovery_codes")
        .addColumn("id", "text", (column) => column.primaryKey())
        .addColumn("person_id", "text", (column) => column.notNull().references("people.id").onDelete("cascade"))
        .addColumn("code_hash", "text", (column) => column.notNull())
        .execute();
      await schema.createIndex("recovery_codes_person").on("recovery_codes").column("person_id").execute();
    },
  },
  "110-sessions": {
    async up({ schema }) {
      await schema
        .createTable("sessions")
        .addColumn("id", "text", (column) => column.primaryKey())
        .addColumn("token_hash", "text", (column) => column.notNull().unique())
        .addColumn("person_id", "text", (column) => column.notNull().references("people.id").onDelete("cascade"))
        .addColumn("step", "text", (column) => column.notNull())
        .addColumn("created_at_ms", "bigint", (column) => column.notNull())
        .addColumn("last_seen_at_ms", "bigint", (column) => column.notNull())
        .addColumn("ends_at_ms", "bigint", (column) => column.notNull())
        .addColumn("address", "text", (column) => column.notNull())
        .addColumn("user_agent", "text", (column) => column.notNull())
        .execute();
      await schema.createIndex("sessions_person").on("sessions").column("person_id").execute();
      await schema
        .createTable("oidc_identities")
        .addColumn("issuer", "text", (column) => column.notNull())
        .addColumn("subject", "text", (column) => column.notNull())
        .addColumn("person_id", "text", (column) => column.notNull().references("people.id").onDelete("cascade"))
        .addColumn("provider", "text", (column) => column.notNull())
        .addPrimaryKeyConstraint("oidc_identities_key", ["issuer", "subject"])
        .execute();
      await schema
        .createTable("attempts")
        .addColumn("key", "text", (column) => column.primaryKey())
        .addColumn("failures", "integer", (column) => column.notNull())
        .addColumn("last_at_ms", "bigint", (column) => column.notNull())
        .addColumn("blocked_until_ms", "bigint", (column) => column.notNull())
        .execute();
    },
  },
  "120-links": {
    async up({ schema }) {
      await schema
        .createTable("invitations")
        .addColumn("id", "text", (column) => column.primaryKey())
        .addColumn("token_hash", "text", (column) => column.notNull().unique())
        .addColumn("email", "text")
        .addColumn("role", "text", (column) => column.notNull())
        .addColumn("organization", "text", (column) => column.notNull())
        .addColumn("approves_at_once", "integer", (column) => column.notNull())
        .addColumn("invited_by", "text", (column) => column.notNull())
        .addColumn("created_at_ms", "bigint", (column) => column.notNull())
        .addColumn("expires_at_ms", "bigint", (column) => column.notNull())
        .addColumn("used_at_ms", "bigint")
        .addColumn("revoked_at_ms", "bigint")
        .execute();
      await schema
        .createTable("one_time_links")
        .addColumn("id", "text", (column) => column.primaryKey())
        .addColumn("kind", "text", (column) => column.notNull())
        .addColumn("token_hash", "text", (column) => column.notNull().unique())
        .addColumn("person_id", "text", (column) => column.references("people.id").onDelete("cascade"))
        .addColumn("expires_at_ms", "bigint", (column) => column.notNull())
        .execute();
    },
  },
  "400-proven-addresses": {
    async up({ schema }) {
      // Of accounts that are there already it is not known: they count as not proven.
      await schema.alterTable("people").addColumn("email_proven_at_ms", "bigint").execute();
      for (const table of ["invitations", "one_time_links"]) {
        await schema
          .alterTable(table)
          .addColumn("is_mailed", "integer", (column) => column.notNull().defaultTo(0))
          .execute();
      }
    },
  },
};
