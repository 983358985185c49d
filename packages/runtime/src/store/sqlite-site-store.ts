import { openSqliteDatabase } from "@flare-ts/sqlite";
import type { SiteStore } from "./site-store.js";
import { siteMigrations } from "./sql/site-migrations.js";
import type { SiteTables } from "./sql/site-tables.js";
import { SqlSiteStore } from "./sql/sql-site-store.js";

/**
 * Opens a site's store in one SQLite file, readable by its owner only; file and folder are made when they do not exist.
 *
 * @throws FlareError `store/unusable` when the file is damaged, locked, not a database, or from a newer version.
 */
export async function openSqliteSiteStore(init: { readonly path: string }): Promise<SiteStore> {
  return new SqlSiteStore({ db: await openSqliteDatabase<SiteTables>({ path: init.path, migrations: siteMigrations }) });
}
