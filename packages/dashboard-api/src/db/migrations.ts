import type { Migration } from "kysely/migration";
import { auditMigrations } from "../audit/audit-migrations.js";
import { federationMigrations } from "../federation/federation-migrations.js";
import { kitMigrations } from "../kits/kit-migrations.js";
import { peopleMigrations } from "../people/people-migrations.js";
import { projectMigrations } from "../project/project-migrations.js";

/** All migrations, for both kinds of database: portable column types only (text, integer, bigint, double precision). */
export const migrations: Readonly<Record<string, Migration>> = {
  ...peopleMigrations,
  ...auditMigrations,
  ...projectMigrations,
  ...kitMigrations,
  ...federationMigrations,
};
