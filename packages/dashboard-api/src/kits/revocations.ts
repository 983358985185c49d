import type { RevocationReason } from "@flare-ts/contracts";
import { type AuditActor, systemActor } from "../audit/audit-log.js";
import { isFrozen, readProject } from "../project/project-store.js";
import { revokeNow } from "./issue-kits.js";
import type { KitParts } from "./kit-parts.js";
import { dropArchive, isCurrent, readKitRows } from "./kit-rows.js";

/** Who wants a kit revoked, and why. */
export interface AskInit {
  readonly actor: AuditActor;
  /** The name that people are shown. */
  readonly by: string;
  readonly reason: RevocationReason;
}

/** Asks for the revocation of whatever a participant holds; it is done at once where the CA is unlocked, else as soon as it is. */
export async function askRevocation(parts: KitParts, participant: string, { actor, by, reason }: AskInit): Promise<void> {
  const { db, now, audit, changes } = parts;
  await db.transaction().execute(async (transaction) => {
    const rows = await readKitRows(transaction, { participant });
    const standing = rows.filter((row) => row.revoked_at_ms === null && row.revocation_asked_at_ms === null);
    for (const { id } of standing) {
      const asked = { revocation_asked_at_ms: now(), revocation_reason: reason, revocation_by: by };
      await transaction.updateTable("kits").set(asked).where("id", "=", id).execute();
      await dropArchive(transaction, id);
    }
    if (standing.length > 0) await audit.write(transaction, { actor, action: "kits.revoke", subject: participant, facts: { reason } });
  });
  changes.publish("kits");
  changes.publish("sites");
  await parts.turns.take(async () => await carryOutRevocations(parts));
}

/** Revokes everything that somebody asked for, where the CA is unlocked; to be called in a turn. */
export async function carryOutRevocations(parts: KitParts): Promise<void> {
  const { db, now, passphrase, changes } = parts;
  const project = await readProject(db);
  if (!isFrozen(project) || !passphrase.isKnown) return;
  const asked = await db
    .selectFrom("kits")
    .selectAll()
    .where("revocation_asked_at_ms", "is not", null)
    .where("revoked_at_ms", "is", null)
    .execute();
  const reasons = new Map(asked.map((row) => [row.participant, row.revocation_reason as RevocationReason]));
  for (const [participant, reason] of reasons) {
    await revokeNow(parts, project, participant, reason);
    await db
      .updateTable("kits")
      .set({ revoked_at_ms: now() })
      .where("participant", "=", participant)
      .where("revoked_at_ms", "is", null)
      .execute();
    changes.publish("kits");
    changes.publish("sites");
  }
}

/** Asks for the revocation of console kits whose person is gone, shut out, or has another role or organisation by now. */
export async function revokeStrangers(parts: KitParts): Promise<void> {
  const people = await parts.db.selectFrom("people").select(["id", "email", "organization", "role", "state"]).execute();
  const byId = new Map(people.map((person) => [person.id, person]));
  const rows = (await readKitRows(parts.db, { kind: "console" })).filter(isCurrent);
  for (const row of rows) {
    const person = row.person_id === null ? undefined : byId.get(row.person_id);
    const isShutOut = person === undefined || person.state !== "approved";
    const isSame = !isShutOut && person.email === row.participant && person.role === row.role && person.organization === row.organization;
    if (isSame) continue;
    const reason = isShutOut ? "privilegeWithdrawn" : "affiliationChanged";
    await askRevocation(parts, row.participant, { actor: systemActor, by: "system", reason });
  }
}

/** Notes what was revoked with `flare cert revoke` in the same workspace, and passes its trust list on. */
export async function noteRevocations({ db, workspace, changes, trustLists }: KitParts): Promise<void> {
  const { name, state } = await readProject(db);
  const trust = state === "frozen" ? await workspace.trust(name) : undefined;
  trustLists.publish(trust?.trustList);
  if (trust === undefined || trust.revoked.length === 0) return;
  const bySerial = new Map(trust.revoked.flatMap((entry) => entry.serials.map((serial) => [serial, entry] as const)));
  const rows = await db
    .selectFrom("kits")
    .select(["id", "serial", "revocation_reason", "revocation_by"])
    .where("revoked_at_ms", "is", null)
    .execute();
  for (const row of rows) {
    const entry = bySerial.get(row.serial);
    if (entry === undefined) continue;
    const set = {
      revoked_at_ms: entry.revoked_at_ms,
      revocation_reason: row.revocation_reason ?? entry.reason,
      revocation_by: row.revocation_by ?? "flare cert revoke",
    };
    await db.updateTable("kits").set(set).where("id", "=", row.id).execute();
    await dropArchive(db, row.id);
    changes.publish("kits");
  }
}
