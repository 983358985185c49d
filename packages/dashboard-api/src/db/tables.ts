import type { Kysely } from "kysely";
import type { AuditTables } from "../audit/audit-tables.js";
import type { FederationTables } from "../federation/federation-tables.js";
import type { KitTables } from "../kits/kit-tables.js";
import type { PeopleTables } from "../people/people-tables.js";
import type { ProjectTables } from "../project/project-tables.js";

/** All tables of the dashboard. Times are milliseconds since the epoch, truths are 0 and 1, JSON and sealed bytes are text. */
export interface DashboardTables extends PeopleTables, AuditTables, ProjectTables, KitTables, FederationTables {}

/** The dashboard's database, or a transaction of it. Inside a transaction only the transaction may be used: SQLite has one connection. */
export type Database = Kysely<DashboardTables>;
