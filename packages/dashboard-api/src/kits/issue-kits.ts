import { join } from "node:path";
import { FlareError, type RevocationReason } from "@flare-ts/contracts";
import type { IssuedKit as ProvisionedKit } from "@flare-ts/provision";
import type { Actor } from "../http/actor.js";
import { type FrozenProject, readFrozenProject, type StoredProject } from "../project/project-store.js";
import { readSite } from "../project/site-store.js";
import { createId } from "../secrets/tokens.js";
import type { KitParts } from "./kit-parts.js";
import { type InsertKitInit, insertKit, isStanding, type KitRow, readKitRows } from "./kit-rows.js";
import { issuingText, ownName, workspaceTexts } from "./project-files.js";

/** A kit that was made just now, and the passphrase that opens its archive. */
export interface NewKit {
  readonly kitId: string;
  readonly passphrase: string;
}

/** Whose kit. */
export interface Holder {
  readonly kind: KitRow["kind"];
  readonly participant: string;
  readonly organization: string;
  readonly role: string;
  readonly siteId: string | null;
  readonly personId: string | null;
}

const dayMs = 24 * 60 * 60_000;
/** An archive that nobody has downloaded by then is gone. */
const archiveDays = 7;

/**
 * Issues the server's kit.
 *
 * @throws FlareError `dashboard/project-draft`, `dashboard/ca-locked`, `project/*`
 */
export async function issueServerKit(parts: KitParts, actor: Actor): Promise<NewKit> {
  return await parts.turns.take(async () => {
    const project = await readFrozenProject(parts.db);
    const { name, organization } = project.server;
    return await issueSealed(parts, project, actor, {
      kind: "server",
      participant: name,
      organization,
      role: "server",
      siteId: null,
      personId: null,
    });
  });
}

/**
 * Issues the kit of an approved site, with a key that is made here.
 *
 * @throws FlareError `dashboard/project-draft`, `dashboard/ca-locked`, `dashboard/conflict`, `project/*`
 */
export async function issueSiteKit(parts: KitParts, actor: Actor, siteId: string): Promise<NewKit> {
  return await parts.turns.take(async () => {
    const project = await readFrozenProject(parts.db);
    const site = await readSite(parts.db, siteId);
    if (site.state !== "approved")
      throw new FlareError("dashboard/conflict", `'${site.name}' is not approved; only approved sites get kits.`);
    return await issueSealed(parts, project, actor, {
      kind: "site",
      participant: site.name,
      organization: site.organization,
      role: "client",
      siteId: site.id,
      personId: null,
    });
  });
}

/**
 * Issues a person's console kit, with the person's role.
 *
 * @throws FlareError `dashboard/project-draft`, `dashboard/ca-locked`, `dashboard/conflict`, `project/*`
 */
export async function issueConsoleKit(parts: KitParts, actor: Actor): Promise<NewKit> {
  return await parts.turns.take(async () => {
    const project = await readFrozenProject(parts.db);
    // Somebody may have changed it since the request came in.
    return await issueSealed(parts, project, actor, await consoleHolder(parts.db, project, actor.personId));
  });
}

/**
 * A person as the holder of a console kit.
 *
 * @throws FlareError `dashboard/waits-for-approval`, `dashboard/conflict`
 */
export async function consoleHolder(db: KitParts["db"], project: StoredProject, personId: string): Promise<Holder> {
  const person = await db.selectFrom("people").selectAll().where("id", "=", personId).executeTakeFirst();
  if (person?.state !== "approved") throw new FlareError("dashboard/waits-for-approval", "Your account waits for approval.");
  const { email: participant, organization, role } = person;
  if (participant.length > maxNameChars) {
    throw new FlareError("dashboard/conflict", `A certificate's name holds ${maxNameChars} characters, and ${participant} has more.`);
  }
  if (participant === ownName(project)) throw new FlareError("dashboard/conflict", `${participant} is the dashboard's own name.`);
  return { kind: "console", participant, organization, role, siteId: null, personId };
}

/** Longest common name of a certificate (RFC 5280, ub-common-name). */
const maxNameChars = 64;

/**
 * Issues the dashboard's own kit into its folder; to be called in a turn. An earlier one stays good until it ends: it never left.
 */
export async function issueOwnKit(parts: KitParts, project: FrozenProject, participant: string): Promise<string> {
  const { db, workspace, passphrase, randomBytes, changes, consoleFolder } = parts;
  const id = createId(randomBytes);
  const holder: Holder = {
    kind: "dashboard",
    participant,
    organization: project.server.organization,
    role: "project_admin",
    siteId: null,
    personId: null,
  };
  const init = { caKey: passphrase.caKey(), projectText: await issuingText(db, project), name: participant, earlier: "kept" } as const;
  const issued = await workspace.issueTo(join(consoleFolder, id, participant), init);
  await record(parts, project, { id, holder, issued, hasRevoked: false, issuedBy: "system", archive: undefined });
  changes.publish("kits");
  return id;
}

async function issueSealed(parts: KitParts, project: FrozenProject, actor: Actor, holder: Holder): Promise<NewKit> {
  const { db, now, workspace, passphrase: ca, trustLists, randomBytes, audit, changes } = parts;
  const { participant } = holder;
  const caKey = ca.caKey();
  const before = await takeBackEnded(parts, project, participant);
  const projectText = await issuingText(db, project);
  const sealed = await workspace.issueSealed({ caKey, projectText, name: participant, earlier: before.earlier });
  const hasRevoked = before.hasRevoked || sealed.issued.hasRevoked;
  const id = createId(randomBytes);
  const archive = { name: `${participant}.zip`, content: sealed.archive, untilMs: now() + archiveDays * dayMs };
  await record(parts, project, { id, holder, issued: sealed.issued, hasRevoked, issuedBy: actor.name, archive }, async (transaction) => {
    const facts = { kind: holder.kind, serial: sealed.issued.serial, hasRevoked };
    await audit.write(transaction, { actor, action: "kits.issue", subject: participant, facts });
  });
  publish(trustLists, sealed.issued);
  changes.publish("kits");
  if (holder.kind === "site") changes.publish("sites");
  return { kitId: id, passphrase: sealed.passphrase };
}

/** What is to become of a participant's earlier certificates when it gets a new one, and whether that was done already. */
export interface Earlier {
  readonly earlier: "kept" | RevocationReason;
  readonly hasRevoked: boolean;
}

/**
 * What becomes of earlier certificates of a participant: they are revoked, but for those of a root that is being replaced, which ends
 * them anyhow. Those that ended here may have been renewed by the server since; they are revoked at once, by name.
 */
async function takeBackEnded(parts: KitParts, project: FrozenProject, participant: string): Promise<Earlier> {
  const { db, now, workspace } = parts;
  const standing = (await readKitRows(db, { participant })).filter((row) => row.revoked_at_ms === null);
  if (standing.length === 0) return { earlier: "superseded", hasRevoked: false };
  const trust = await workspace.trust(project.name);
  const isBelowFormer = (row: KitRow): boolean => row.root_fingerprint !== trust?.rootFingerprint;
  if (trust?.isRollingOver === true && standing.every((row) => isBelowFormer(row) && isStanding(row)))
    return { earlier: "kept", hasRevoked: false };
  if (standing.some(({ valid_to_ms }) => valid_to_ms > now())) return { earlier: "superseded", hasRevoked: false };
  await revokeNow(parts, project, participant, "superseded");
  return { earlier: "superseded", hasRevoked: true };
}

/** Revokes a participant in the workspace, and passes the trust list on. */
export async function revokeNow(
  { workspace, passphrase, trustLists }: KitParts,
  { name: project }: FrozenProject,
  name: string,
  reason: RevocationReason,
): Promise<void> {
  trustLists.publish(await workspace.revoke({ project, caKey: passphrase.caKey(), name, reason }));
}

interface RecordInit {
  readonly id: string;
  readonly holder: Holder;
  readonly issued: ProvisionedKit;
  /** Whether the participant's earlier certificates are revoked now. */
  readonly hasRevoked: boolean;
  readonly issuedBy: string;
  readonly archive: InsertKitInit["archive"];
}

async function record(
  { db, now, workspace }: KitParts,
  project: FrozenProject,
  { id, holder, issued, hasRevoked, issuedBy, archive }: RecordInit,
  also: (transaction: KitParts["db"]) => Promise<void> = async () => undefined,
): Promise<void> {
  const rootFingerprint = (await workspace.trust(project.name))?.rootFingerprint ?? "";
  const row: InsertKitInit["row"] = {
    id,
    kind: holder.kind,
    participant: holder.participant,
    organization: holder.organization,
    role: holder.role,
    source: "made",
    serial: issued.serial,
    fingerprint: issued.fingerprint,
    certificate_pem: issued.certificatePem,
    root_fingerprint: rootFingerprint,
    public_key_sha256: null,
    valid_from_ms: issued.validFrom.getTime(),
    valid_to_ms: issued.validTo.getTime(),
    issued_at_ms: now(),
    issued_by: issuedBy,
    site_id: holder.siteId,
    person_id: holder.personId,
    delivered_at_ms: null,
    delivered_to: null,
    replaced_at_ms: null,
    revocation_asked_at_ms: null,
    revocation_reason: null,
    revocation_by: null,
    revoked_at_ms: null,
  };
  const earlier = hasRevoked
    ? { revoked_at_ms: now(), revocation_reason: "superseded", revocation_by: issuedBy }
    : { replaced_at_ms: now() };
  await db.transaction().execute(async (transaction) => {
    await insertKit(transaction, { row, archive, earlier });
    await also(transaction);
  });
  await workspace.writeFiles(await workspaceTexts(db, project));
}

function publish(trustLists: KitParts["trustLists"], { trust }: ProvisionedKit): void {
  if (trust !== undefined) trustLists.publish({ number: trust.number, text: trust.trustListText });
}
