import { X509Certificate } from "node:crypto";
import { FlareError } from "@flare-ts/contracts";
import type { ApprovalResult } from "@flare-ts/provision";
import type { Selectable } from "kysely";
import type { z } from "zod";
import { systemActor } from "../audit/audit-log.js";
import type { siteRequestSchema } from "../contract/sites.js";
import type { Actor } from "../http/actor.js";
import { type FrozenProject, isFrozen, readProject, type StoredProject } from "../project/project-store.js";
import { readSite, type StoredSite } from "../project/site-store.js";
import { createId } from "../secrets/tokens.js";
import { revokeNow } from "./issue-kits.js";
import type { KitParts } from "./kit-parts.js";
import { insertKit, isStanding, readKitRows } from "./kit-rows.js";
import type { SiteRequestsTable } from "./kit-tables.js";
import { profileText, workspaceTexts } from "./project-files.js";

/** What a request waits for. */
export type WaitsFor = z.infer<typeof siteRequestSchema>["waitsFor"];

/** A request's row. */
export type RequestRow = Selectable<SiteRequestsTable>;

/** What a request of a site waits for. */
export function waitsFor(project: StoredProject, site: StoredSite, isUnlocked: boolean): WaitsFor {
  if (site.state !== "approved") return "decision";
  if (!isFrozen(project)) return "freeze";
  return isUnlocked ? "nothing" : "unlock";
}

/**
 * Takes the certificate request of a site in place of an earlier one, and answers it when nothing is in its way. It must be the site's
 * own: project, name and organisation are compared.
 *
 * @throws FlareError `request/*`, `archive/*`, `certificate/*`, `request/key-revoked`, `dashboard/conflict`
 */
export async function takeRequest(parts: KitParts, actor: Actor, site: StoredSite, archive: Uint8Array): Promise<void> {
  const { db, workspace, now, audit, changes } = parts;
  if (site.state === "rejected") throw new FlareError("dashboard/conflict", `'${site.name}' was rejected.`);
  if (archive.byteLength === 0)
    throw new FlareError("dashboard/invalid-request", "The body is empty; send the archive <name>.request.zip.");
  const request = await workspace.inspect(archive);
  checkClaim(request.claim, site, await readProject(db));
  await refuseRevoked(parts, site, request.publicKeySha256);
  const row: RequestRow = {
    site_id: site.id,
    request_id: request.requestId,
    public_key_sha256: request.publicKeySha256,
    archive: Buffer.from(archive).toString("base64"),
    uploaded_at_ms: now(),
    uploaded_by: actor.name,
    problem: null,
  };
  await db.transaction().execute(async (transaction) => {
    await transaction.deleteFrom("site_requests").where("site_id", "=", site.id).execute();
    await transaction.insertInto("site_requests").values(row).execute();
    const facts = { requestId: request.requestId, publicKeySha256: request.publicKeySha256 };
    await audit.write(transaction, { actor, action: "sites.upload-request", subject: site.name, facts });
  });
  changes.publish("sites");
  await parts.turns.take(async () => await answerRequest(parts, site.id));
}

/** Answers all requests that nothing is in the way of; to be called in a turn. */
export async function answerRequests(parts: KitParts): Promise<void> {
  const rows = await parts.db.selectFrom("site_requests").select("site_id").orderBy("uploaded_at_ms").execute();
  for (const { site_id } of rows) await answerRequest(parts, site_id);
}

/** Answers the request of a site when nothing is in its way; to be called in a turn. What goes wrong stands beside the request. */
export async function answerRequest(parts: KitParts, siteId: string): Promise<void> {
  const { db, passphrase, changes, logger } = parts;
  const row = await db.selectFrom("site_requests").selectAll().where("site_id", "=", siteId).executeTakeFirst();
  if (row === undefined) return;
  const [project, site] = [await readProject(db), await readSite(db, siteId)];
  if (!isFrozen(project) || waitsFor(project, site, passphrase.isKnown) !== "nothing") return;
  try {
    await approve(parts, project, site, row);
  } catch (reason) {
    const error = FlareError.from(reason);
    if (error.row.whose === "bug")
      logger.error({ code: error.code, err: error, site: site.name }, "a certificate request could not be answered");
    const problem = error.row.whose === "bug" ? "The dashboard made a mistake; its log has more." : `${error.message} ${error.row.todo}`;
    await db.updateTable("site_requests").set({ problem }).where("site_id", "=", siteId).execute();
  }
  changes.publish("kits");
  changes.publish("sites");
}

async function approve(parts: KitParts, project: FrozenProject, site: StoredSite, row: RequestRow): Promise<void> {
  const { db, workspace, passphrase } = parts;
  await refuseRevoked(parts, site, row.public_key_sha256);
  const hasRevoked = await takeBack(parts, project, site, row);
  const answer = await workspace.approve({
    caKey: passphrase.caKey(),
    archive: Buffer.from(row.archive, "base64"),
    profileText: profileText(project),
    isRenewedByServer: project.certificates.renewal === "server",
  });
  await record(parts, { site, row, hasRevoked, ...answer });
  await workspace.writeFiles(await workspaceTexts(db, project));
}

/** Takes earlier certificates of the site back, but for one of the same key, and those of a root that is being replaced. */
async function takeBack(parts: KitParts, project: FrozenProject, site: StoredSite, row: RequestRow): Promise<boolean> {
  const standing = (await readKitRows(parts.db, { participant: site.name })).filter((kit) => kit.revoked_at_ms === null);
  const trust = await parts.workspace.trust(project.name);
  const mayStay = standing.every(
    (kit) =>
      isStanding(kit) &&
      (kit.public_key_sha256 === row.public_key_sha256 ||
        (trust?.isRollingOver === true && kit.root_fingerprint !== trust.rootFingerprint)),
  );
  if (mayStay) return false;
  await revokeNow(parts, project, site.name, "superseded");
  return true;
}

interface Answered {
  readonly site: StoredSite;
  readonly row: RequestRow;
  readonly hasRevoked: boolean;
  readonly approval: ApprovalResult;
  readonly archive: Buffer;
}

async function record({ db, now, randomBytes, audit }: KitParts, { site, row, hasRevoked, approval, archive }: Answered): Promise<void> {
  const certificate = new X509Certificate(approval.certificatePem);
  await db.transaction().execute(async (transaction) => {
    await insertKit(transaction, {
      row: {
        id: createId(randomBytes),
        kind: "site",
        participant: site.name,
        organization: site.organization,
        role: "client",
        source: "requested",
        serial: approval.serial,
        fingerprint: certificate.fingerprint256,
        certificate_pem: approval.certificatePem,
        root_fingerprint: approval.rootFingerprint,
        public_key_sha256: row.public_key_sha256,
        valid_from_ms: certificate.validFromDate.getTime(),
        valid_to_ms: certificate.validToDate.getTime(),
        issued_at_ms: now(),
        issued_by: row.uploaded_by,
        site_id: site.id,
        person_id: null,
        delivered_at_ms: null,
        delivered_to: null,
        replaced_at_ms: null,
        revocation_asked_at_ms: null,
        revocation_reason: null,
        revocation_by: null,
        revoked_at_ms: null,
      },
      archive: { name: `${site.name}.signed.zip`, content: archive, untilMs: null },
      earlier: hasRevoked
        ? { revoked_at_ms: now(), revocation_reason: "superseded", revocation_by: row.uploaded_by }
        : { replaced_at_ms: now() },
    });
    // Another one that came meanwhile stays, and is answered in its turn.
    await transaction.deleteFrom("site_requests").where("site_id", "=", site.id).where("request_id", "=", row.request_id).execute();
    const facts = { requestId: row.request_id, serial: approval.serial, uploadedBy: row.uploaded_by, hasRevoked };
    await audit.write(transaction, { actor: systemActor, action: "sites.answer-request", subject: site.name, facts });
  });
}

/** Whoever lost a key does not get it back into the project, and not even a good certificate is revoked for it. */
async function refuseRevoked({ db }: KitParts, site: StoredSite, publicKeySha256: string): Promise<void> {
  const rows = await readKitRows(db, { participant: site.name });
  if (rows.every((row) => isStanding(row) || row.public_key_sha256 !== publicKeySha256)) return;
  throw new FlareError("request/key-revoked", `A certificate of '${site.name}' for this very key was revoked.`);
}

function checkClaim(
  claim: { readonly project: string; readonly name: string; readonly org: string; readonly kind: string },
  site: StoredSite,
  project: StoredProject,
): void {
  const wrong =
    claim.kind !== "site"
      ? `it is for a ${claim.kind}, not for a site`
      : claim.name !== site.name
        ? `it is for '${claim.name}', and this site is '${site.name}'`
        : claim.org !== site.organization
          ? `it says organisation '${claim.org}', and this site belongs to '${site.organization}'`
          : project.name !== "" && claim.project !== project.name
            ? `it is for the project '${claim.project}', and this is '${project.name}'`
            : undefined;
  if (wrong !== undefined) throw new FlareError("request/mismatch", `The request does not fit: ${wrong}.`);
}
