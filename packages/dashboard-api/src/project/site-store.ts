import type { Selectable } from "kysely";
import type { SiteState } from "../contract/sites.js";
import type { Database } from "../db/tables.js";
import { notFound } from "../http/actor.js";
import type { SitesTable } from "./project-tables.js";

/** A site as handlers work with it. */
export interface StoredSite {
  readonly id: string;
  readonly name: string;
  readonly organization: string;
  readonly description: string;
  readonly state: SiteState;
  readonly capacity: { readonly gpus: number; readonly memPerGpuGiB: number };
  readonly properties: Readonly<Record<string, string>>;
  readonly allowLogStreaming: boolean;
  readonly createdAtMs: number;
  readonly createdBy: string;
  /** Of what it says about itself; grows with each change. */
  readonly version: number;
  /** Name of the person who made this version. */
  readonly changedBy: string | null;
  readonly decision: { readonly atMs: number; readonly by: string; readonly note: string } | null;
}

/** Reads all sites, by name. */
export async function readSites(db: Database): Promise<readonly StoredSite[]> {
  return (await db.selectFrom("sites").selectAll().orderBy("name_key").execute()).map(siteOf);
}

/**
 * Reads a site.
 *
 * @throws FlareError `dashboard/not-found`
 */
export async function readSite(db: Database, id: string): Promise<StoredSite> {
  const row = await db.selectFrom("sites").selectAll().where("id", "=", id).executeTakeFirst();
  if (row === undefined) throw notFound();
  return siteOf(row);
}

function siteOf(row: Selectable<SitesTable>): StoredSite {
  const { decided_at_ms: atMs, decided_by: by } = row;
  return {
    id: row.id,
    name: row.name,
    organization: row.organization,
    description: row.description,
    state: row.state,
    capacity: { gpus: row.gpus, memPerGpuGiB: row.mem_per_gpu_gib },
    properties: JSON.parse(row.properties) as Record<string, string>,
    allowLogStreaming: row.allow_log_streaming === 1,
    createdAtMs: row.created_at_ms,
    createdBy: row.created_by,
    version: row.version,
    changedBy: row.changed_by,
    decision: atMs === null || by === null ? null : { atMs, by, note: row.decision_note },
  };
}
