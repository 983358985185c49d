import { sql } from "kysely";
import type { Migration } from "kysely/migration";

/** Tables of kits, their archives and links, and of certificate requests. */
export const kitMigrations: Readonly<Record<string, Migration>> = {
  "220-kits": {
    async up({ schema }) {
      await schema
        .createTable("kits")
        .addColumn("id", "text", (column) => column.primaryKey())
        .addColumn("kind", "text", (column) => column.notNull())
        .addColumn("participant", "text", (column) => column.notNull())
        .addColumn("organization", "text", (column) => column.notNull())
        .addColumn("role", "text", (column) => column.notNull())
        .addColumn("source", "text", (column) => column.notNull())
        .addColumn("serial", "text", (column) => column.notNull())
        .addColumn("fingerprint", "text", (column) => column.notNull())
        .addColumn("certificate_pem", "text", (column) => column.notNull())
        .addColumn("root_fingerprint", "text", (column) => column.notNull())
        .addColumn("public_key_sha256", "text")
        .addColumn("valid_from_ms", "bigint", (column) => column.notNull())
        .addColumn("valid_to_ms", "bigint", (column) => column.notNull())
        .addColumn("issued_at_ms", "bigint", (column) => column.notNull())
        .addColumn("issued_by", "text", (column) => column.notNull())
        .addColumn("site_id", "text")
        .addColumn("person_id", "text")
        .addColumn("archive_name", "text")
        .addColumn("archive_bytes", "integer")
        .addColumn("archive_until_ms", "bigint")
        .addColumn("delivered_at_ms", "bigint")
        .addColumn("delivered_to", "text")
        .addColumn("replaced_at_ms", "bigint")
        .addColumn("revocation_asked_at_ms", "bigint")
        .addColumn("revocation_reason", "text")
        .addColumn("revocation_by", "text")
        .addColumn("revoked_at_ms", "bigint")
        .execute();
      await schema.createIndex("kits_participant").on("kits").column("participant").execute();
      await schema
        .createTable("kit_archives")
        .addColumn("kit_id", "text", (column) => column.primaryKey().references("kits.id"))
        .addColumn("content", "text", (column) => column.notNull())
        .execute();
      await schema
        .createTable("kit_links")
        .addColumn("kit_id", "text", (column) => column.primaryKey().references("kits.id"))
        .addColumn("token_hash", "text", (column) => column.notNull().unique())
        .addColumn("created_by", "text", (column) => column.notNull())
        .addColumn("expires_at_ms", "bigint", (column) => column.notNull())
        .execute();
      await schema
        .createTable("site_requests")
        .addColumn("site_id", "text", (column) => column.primaryKey().references("sites.id").onDelete("cascade"))
        .addColumn("request_id", "text", (column) => column.notNull())
        .addColumn("public_key_sha256", "text", (column) => column.notNull())
        .addColumn("archive", "text", (column) => column.notNull())
        .addColumn("uploaded_at_ms", "bigint", (column) => column.notNull())
        .addColumn("uploaded_by", "text", (column) => column.notNull())
        .addColumn("problem", "text")
        .execute();
    },
  },
  "410-requests-of-people": {
    async up(db) {
      await db.schema
        .createTable("certificate_requests")
        .addColumn("holder_id", "text", (column) => column.primaryKey())
        .addColumn("site_id", "text", (column) => column.references("sites.id").onDelete("cascade"))
        .addColumn("person_id", "text", (column) => column.references("people.id").onDelete("cascade"))
        .addColumn("request_id", "text", (column) => column.notNull())
        .addColumn("public_key_sha256", "text", (column) => column.notNull())
        .addColumn("archive", "text", (column) => column.notNull())
        .addColumn("uploaded_at_ms", "bigint", (column) => column.notNull())
        .addColumn("uploaded_by", "text", (column) => column.notNull())
        .addColumn("problem", "text")
        .execute();
      const same = sql.raw("request_id, public_key_sha256, archive, uploaded_at_ms, uploaded_by, problem");
      await sql`insert into certificate_requests (holder_id, site_id, ${same}) select site_id, site_id, ${same} from site_requests`.execute(
        db,
      );
      await db.schema.dropTable("site_requests").execute();
    },
  },
};
