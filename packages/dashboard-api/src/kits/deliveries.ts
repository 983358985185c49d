import { FlareError } from "@flare-ts/contracts";
import type { FastifyReply } from "fastify";
import type { AuditActor } from "../audit/audit-log.js";
import type { RawAnswer } from "../http/implement.js";
import { createToken, hashToken } from "../secrets/tokens.js";
import type { KitParts } from "./kit-parts.js";
import { dropArchive, type KitRow } from "./kit-rows.js";

/** Who takes an archive. */
export interface Taker {
  readonly actor: AuditActor;
  /** What people are shown: a name, or the address that used a link. */
  readonly shownAs: string;
}

/**
 * Gives the archive of a kit. One with a private key is given once: it is claimed before the first byte, gone once the last was
 * sent, and free again when the connection broke before.
 *
 * @throws FlareError `dashboard/archive-gone`
 */
export async function deliver(parts: KitParts, row: KitRow, taker: Taker, reply: FastifyReply): Promise<RawAnswer> {
  const { db, now } = parts;
  const isSecret = row.source === "made";
  let claim = db
    .updateTable("kits")
    .set({ delivered_at_ms: now(), delivered_to: taker.shownAs })
    .where("id", "=", row.id)
    .where("archive_name", "is not", null)
    .where((where) => where.or([where("archive_until_ms", "is", null), where("archive_until_ms", ">", now())]));
  if (isSecret) claim = claim.where("delivered_at_ms", "is", null);
  const { numUpdatedRows } = await claim.executeTakeFirst();
  const content = await db.selectFrom("kit_archives").select("content").where("kit_id", "=", row.id).executeTakeFirst();
  if (numUpdatedRows === 0n || content === undefined) throw gone(row);
  onceSent(parts, reply, async (isComplete) => await settle(parts, row, taker, isComplete));
  return archiveAnswer(row.archive_name ?? "kit.zip", Buffer.from(content.content, "base64"));
}

/** Makes a link to the archive of a kit, in place of an earlier one; answers its token, which is kept as a hash only. */
export async function createLink(
  parts: KitParts,
  row: KitRow,
  init: { readonly actor: AuditActor; readonly by: string; readonly expiresAtMs: number },
): Promise<string> {
  const { db, now, randomBytes, audit, changes } = parts;
  const isThere = row.archive_name !== null && (row.archive_until_ms === null || row.archive_until_ms > now());
  if (!isThere || (row.source === "made" && row.delivered_at_ms !== null)) throw gone(row);
  const token = createToken(randomBytes);
  await db.transaction().execute(async (transaction) => {
    await transaction.deleteFrom("kit_links").where("kit_id", "=", row.id).execute();
    const expires_at_ms = Math.min(init.expiresAtMs, row.archive_until_ms ?? Number.MAX_SAFE_INTEGER);
    await transaction
      .insertInto("kit_links")
      .values({ kit_id: row.id, token_hash: hashToken(token), created_by: init.by, expires_at_ms })
      .execute();
    await audit.write(transaction, {
      actor: init.actor,
      action: "kits.create-link",
      subject: row.participant,
      facts: { serial: row.serial },
    });
  });
  changes.publish("kits");
  return token;
}

/** A link that is good, with its kit. */
export interface OpenLink {
  readonly row: KitRow;
  readonly expiresAtMs: number;
}

/**
 * Finds the kit of a link; the link stays good.
 *
 * @throws FlareError `dashboard/link-unusable`
 */
export async function findLink({ db, now }: Pick<KitParts, "db" | "now">, token: string): Promise<OpenLink> {
  const link = await db.selectFrom("kit_links").selectAll().where("token_hash", "=", hashToken(token)).executeTakeFirst();
  const row = link === undefined ? undefined : await db.selectFrom("kits").selectAll().where("id", "=", link.kit_id).executeTakeFirst();
  const isUsable = link !== undefined && link.expires_at_ms > now() && row !== undefined && row.archive_name !== null;
  if (!isUsable || (row.source === "made" && row.delivered_at_ms !== null)) throw unusable();
  return { row, expiresAtMs: link.expires_at_ms };
}

/**
 * Takes a link out of use for one download, so that of two that come at once one alone gets it; what was taken is put back when the
 * connection breaks.
 *
 * @throws FlareError `dashboard/link-unusable`
 */
export async function takeLink({ db, tasks }: Pick<KitParts, "db" | "tasks">, reply: FastifyReply, token: string): Promise<void> {
  // In one: whoever looked before might find it not there, and take away what was put back meanwhile.
  const link = await db.deleteFrom("kit_links").where("token_hash", "=", hashToken(token)).returningAll().executeTakeFirst();
  if (link === undefined) throw unusable();
  onceSent({ tasks }, reply, async (isComplete) => {
    if (isComplete) return;
    await db
      .insertInto("kit_links")
      .values(link)
      .onConflict((conflict) => conflict.column("kit_id").doNothing())
      .execute();
  });
}

/** Frees archives whose download was under way when the dashboard was killed. */
export async function freeBrokenDownloads({ db }: Pick<KitParts, "db">): Promise<void> {
  await db
    .updateTable("kits")
    .set({ delivered_at_ms: null, delivered_to: null })
    .where("source", "=", "made")
    .where("archive_name", "is not", null)
    .where("delivered_at_ms", "is not", null)
    .execute();
}

/** Forgets archives that nobody came for in time, and links that have ended. */
export async function dropOldArchives({ db, now }: Pick<KitParts, "db" | "now">): Promise<void> {
  const rows = await db.selectFrom("kits").select("id").where("archive_until_ms", "<=", now()).execute();
  for (const { id } of rows) await dropArchive(db, id);
  await db.deleteFrom("kit_links").where("expires_at_ms", "<=", now()).execute();
}

async function settle({ db, audit, changes }: KitParts, row: KitRow, taker: Taker, isComplete: boolean): Promise<void> {
  if (!isComplete) {
    if (row.source === "made")
      await db.updateTable("kits").set({ delivered_at_ms: null, delivered_to: null }).where("id", "=", row.id).execute();
    return;
  }
  await db.transaction().execute(async (transaction) => {
    if (row.source === "made") await dropArchive(transaction, row.id);
    const facts = { serial: row.serial, to: taker.shownAs };
    await audit.write(transaction, { actor: taker.actor, action: "kits.download", subject: row.participant, facts });
  });
  changes.publish("kits");
  changes.publish("sites");
}

/** Calls back once the answer was sent, or the connection ended before. */
function onceSent({ tasks }: Pick<KitParts, "tasks">, { raw }: FastifyReply, done: (isComplete: boolean) => Promise<void>): void {
  const note = (): void => tasks.run("note a download", async () => await done(raw.writableFinished && raw.statusCode < 400));
  // The connection may have ended while the archive was looked up: no event comes any more.
  if (raw.closed) note();
  else raw.once("close", note);
}

function archiveAnswer(name: string, content: Buffer): RawAnswer {
  const headers = {
    // Names of participants hold nothing that would need quoting.
    "content-disposition": `attachment; filename="${name}"`,
    "content-length": String(content.byteLength),
  };
  return { headers, body: content };
}

function gone({ participant, delivered_to }: KitRow): FlareError {
  const why = delivered_to === null ? "is not kept any more" : `was downloaded by ${delivered_to}`;
  return new FlareError("dashboard/archive-gone", `The archive of ${participant} ${why}.`);
}

function unusable(): FlareError {
  return new FlareError("dashboard/link-unusable", "The link was used, has expired, was withdrawn, or never existed.");
}
