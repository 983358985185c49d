import type { Insertable, Selectable, Updateable } from "kysely";
import type { Database } from "../db/tables.js";
import type { KitsTable } from "./kit-tables.js";

/** A kit's row. */
export type KitRow = Selectable<KitsTable>;

/** Reads kits, the newest first. */
export async function readKitRows(
  db: Database,
  filter: { readonly siteId?: string; readonly personId?: string; readonly participant?: string; readonly kind?: KitRow["kind"] } = {},
): Promise<readonly KitRow[]> {
  let query = db.selectFrom("kits").selectAll().orderBy("issued_at_ms", "desc").orderBy("valid_from_ms", "desc").orderBy("id");
  if (filter.siteId !== undefined) query = query.where("site_id", "=", filter.siteId);
  if (filter.personId !== undefined) query = query.where("person_id", "=", filter.personId);
  if (filter.participant !== undefined) query = query.where("participant", "=", filter.participant);
  if (filter.kind !== undefined) query = query.where("kind", "=", filter.kind);
  return await query.execute();
}

/** Whether nobody has taken a kit's certificate back, nor asked for it. */
export function isStanding({ revoked_at_ms, revocation_asked_at_ms }: KitRow): boolean {
  return revoked_at_ms === null && revocation_asked_at_ms === null;
}

/** Whether a kit is the one that its participant is to use. */
export function isCurrent(row: KitRow): boolean {
  return isStanding(row) && row.replaced_at_ms === null;
}

export interface InsertKitInit {
  readonly row: Omit<Insertable<KitsTable>, "archive_name" | "archive_bytes" | "archive_until_ms">;
  readonly archive: { readonly name: string; readonly content: Uint8Array; readonly untilMs: number | null } | undefined;
  /** What becomes of the participant's earlier kits. */
  readonly earlier: Updateable<KitsTable>;
}

/** Adds a kit, and says what becomes of the participant's earlier ones; what was not downloaded of them is gone. */
export async function insertKit(db: Database, { row, archive, earlier }: InsertKitInit): Promise<void> {
  const standing = await db
    .selectFrom("kits")
    .select("id")
    .where("participant", "=", row.participant)
    .where("revoked_at_ms", "is", null)
    .execute();
  for (const { id } of standing) {
    await db.updateTable("kits").set(earlier).where("id", "=", id).execute();
    await dropArchive(db, id);
  }
  await db
    .insertInto("kits")
    .values({
      ...row,
      archive_name: archive?.name ?? null,
      archive_bytes: archive?.content.byteLength ?? null,
      archive_until_ms: archive?.untilMs ?? null,
    })
    .execute();
  if (archive === undefined) return;
  const content = Buffer.from(archive.content).toString("base64");
  await db.insertInto("kit_archives").values({ kit_id: row.id, content }).execute();
}

/** Forgets the archive of a kit and its link. */
export async function dropArchive(db: Database, kitId: string): Promise<void> {
  await db.deleteFrom("kit_links").where("kit_id", "=", kitId).execute();
  await db.deleteFrom("kit_archives").where("kit_id", "=", kitId).execute();
  await db.updateTable("kits").set({ archive_name: null, archive_bytes: null, archive_until_ms: null }).where("id", "=", kitId).execute();
}
