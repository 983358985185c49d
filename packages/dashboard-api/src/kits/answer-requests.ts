import { X509Certificate } from "node:crypto";
import { FlareError } from "@flare-ts/contracts";
import type { ApprovalResult, InspectedRequest } from "@flare-ts/provision";
import { systemActor } from "../audit/audit-log.js";
import type { Actor } from "../http/actor.js";
import { type FrozenProject, isFrozen, readProject, type StoredProject } from "../project/project-store.js";
import { createId } from "../secrets/tokens.js";
import { revokeNow } from "./issue-kits.js";
import type { KitParts } from "./kit-parts.js";
import { insertKit, isStanding, readKitRows } from "./kit-rows.js";
import { profileText, workspaceTexts } from "./project-files.js";
import { holderOf, type RequestHolder, type RequestRow, waitsFor } from "./request-holder.js";

/**
 * Takes the certificate request of a site or person in place of an earlier one, and answers it when nothing is in its way. It must be
 * their own: project, name, organisation and role are compared.
 *
 * @throws FlareError `request/*`, `archive/*`, `certificate/*`, `request/key-revoked`, `dashboard/invalid-request`
 */
export async function takeRequest(parts: KitParts, actor: Actor, holder: RequestHolder, archive: Uint8Array): Promise<void> {
  const { db, workspace, now, audit, changes } = parts;
  if (archive.byteLength === 0)
    throw new FlareError("dashboard/invalid-request", "The body is empty; send the archive <name>.request.zip.");
  const request = await workspace.inspect(archive);
  checkClaim(request.claim, holder, await readProject(db));
  await refuseRevoked(parts, holder, request.publicKeySha256);
  const row: RequestRow = {
    holder_id: holder.id,
    site_id: holder.siteId,
    person_id: holder.personId,
    request_id: request.requestId,
    public_key_sha256: request.publicKeySha256,
    archive: Buffer.from(archive).toString("base64"),
    uploaded_at_ms: now(),
    uploaded_by: actor.name,
    problem: null,
  };
  await db.transaction().execute(async (transaction) => {
    await transaction.deleteFrom("certificate_requests").where("holder_id", "=", holder.id).execute();
    await transaction.insertInto("certificate_requests").values(row).execute();
    const facts = { requestId: request.requestId, publicKeySha256: request.publicKeySha256 };
    await audit.write(transaction, { actor, action: `${areas[holder.kind]}.upload-request`, subject: holder.participant, facts });
  });
  changes.publish(lists[holder.kind]);
  await parts.turns.take(async () => await answerRequest(parts, holder.id));
}

/** Drops the request of a site or person that is not answered yet. */
export async function withdrawRequest(
  { db, audit, changes }: Pick<KitParts, "db" | "audit" | "changes">,
  actor: Actor,
  { id, kind, participant }: Pick<RequestHolder, "id" | "kind" | "participant">,
): Promise<void> {
  await db.transaction().execute(async (transaction) => {
    await transaction.deleteFrom("certificate_requests").where("holder_id", "=", id).execute();
    await audit.write(transaction, { actor, action: `${areas[kind]}.withdraw-request`, subject: participant });
  });
  changes.publish(lists[kind]);
}

/** Where requests stand in the audit trail, and in which list they are seen. */
const areas = { site: "sites", console: "me" } as const;
const lists = { site: "sites", console: "kits" } as const;

/** Answers all requests that nothing is in the way of; to be called in a turn. */
export async function answerRequests(parts: KitParts): Promise<void> {
  const rows = await parts.db.selectFrom("certificate_requests").select("holder_id").orderBy("uploaded_at_ms").execute();
  for (const { holder_id } of rows) await answerRequest(parts, holder_id);
}

/** Answers a request when nothing is in its way; to be called in a turn. What goes wrong stands beside the request. */
async function answerRequest(parts: KitParts, holderId: string): Promise<void> {
  const { db, passphrase, changes, logger } = parts;
  const row = await db.selectFrom("certificate_requests").selectAll().where("holder_id", "=", holderId).executeTakeFirst();
  if (row === undefined) return;
  try {
    const project = await readProject(db);
    const holder = await holderOf(db, project, row);
    if (!isFrozen(project) || waitsFor(project, holder, passphrase.isKnown) !== "nothing") return;
    await approve(parts, project, holder, row);
  } catch (reason) {
    const error = FlareError.from(reason);
    if (error.row.whose === "bug") logger.error({ code: error.code, err: error, holderId }, "a certificate request could not be answered");
    const problem = error.row.whose === "bug" ? "The dashboard made a mistake; its log has more." : `${error.message} ${error.row.todo}`;
    await db.updateTable("certificate_requests").set({ problem }).where("holder_id", "=", holderId).execute();
  }
  changes.publish("kits");
  changes.publish("sites");
}

async function approve(parts: KitParts, project: FrozenProject, holder: RequestHolder, row: RequestRow): Promise<void> {
  const { db, workspace, passphrase } = parts;
  const archive = Buffer.from(row.archive, "base64");
  // A role or organisation may have changed while the request waited.
  checkClaim((await workspace.inspect(archive)).claim, holder, project);
  await refuseRevoked(parts, holder, row.public_key_sha256);
  const hasRevoked = await takeBack(parts, project, holder, row);
  const answer = await workspace.approve({
    caKey: passphrase.caKey(),
    archive,
    profileText: profileText(project),
    isRenewedByServer: project.certificates.renewal === "server",
  });
  await record(parts, { holder, row, hasRevoked, ...answer });
  await workspace.writeFiles(await workspaceTexts(db, project));
}

/** Takes earlier certificates of the holder back, but for one of the same key, and those of a root that is being replaced. */
async function takeBack(parts: KitParts, project: FrozenProject, holder: RequestHolder, row: RequestRow): Promise<boolean> {
  const standing = (await readKitRows(parts.db, { participant: holder.participant })).filter((kit) => kit.revoked_at_ms === null);
  const trust = await parts.workspace.trust(project.name);
  const mayStay = standing.every(
    (kit) =>
      isStanding(kit) &&
      (kit.public_key_sha256 === row.public_key_sha256 ||
        (trust?.isRollingOver === true && kit.root_fingerprint !== trust.rootFingerprint)),
  );
  if (mayStay) return false;
  await revokeNow(parts, project, holder.participant, "superseded");
  return true;
}

interface Answered {
  readonly holder: RequestHolder;
  readonly row: RequestRow;
  readonly hasRevoked: boolean;
  readonly approval: ApprovalResult;
  readonly archive: Buffer;
}

async function record({ db, now, randomBytes, audit }: KitParts, { holder, row, hasRevoked, approval, archive }: Answered): Promise<void> {
  const certificate = new X509Certificate(approval.certificatePem);
  await db.transaction().execute(async (transaction) => {
    await insertKit(transaction, {
      row: {
        id: createId(randomBytes),
        kind: holder.kind,
        participant: holder.participant,
        organization: holder.organization,
        role: holder.role,
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
        site_id: holder.siteId,
        person_id: holder.personId,
        delivered_at_ms: null,
        delivered_to: null,
        replaced_at_ms: null,
        revocation_asked_at_ms: null,
        revocation_reason: null,
        revocation_by: null,
        revoked_at_ms: null,
      },
      archive: { name: `${holder.participant}.signed.zip`, content: archive, untilMs: null },
      earlier: hasRevoked
        ? { revoked_at_ms: now(), revocation_reason: "superseded", revocation_by: row.uploaded_by }
        : { replaced_at_ms: now() },
    });
    // Another one that came meanwhile stays, and is answered in its turn.
    await transaction
      .deleteFrom("certificate_requests")
      .where("holder_id", "=", holder.id)
      .where("request_id", "=", row.request_id)
      .execute();
    const facts = { requestId: row.request_id, serial: approval.serial, uploadedBy: row.uploaded_by, hasRevoked };
    await audit.write(transaction, {
      actor: systemActor,
      action: `${holder.kind === "site" ? "sites" : "me"}.answer-request`,
      subject: holder.participant,
      facts,
    });
  });
}

/** Whoever lost a key does not get it back into the project, and not even a good certificate is revoked for it. */
async function refuseRevoked({ db }: KitParts, { participant }: RequestHolder, publicKeySha256: string): Promise<void> {
  const rows = await readKitRows(db, { participant });
  if (rows.every((row) => isStanding(row) || row.public_key_sha256 !== publicKeySha256)) return;
  throw new FlareError("request/key-revoked", `A certificate of '${participant}' for this very key was revoked.`);
}

function checkClaim(claim: InspectedRequest["claim"], holder: RequestHolder, project: StoredProject): void {
  const { kind, participant, organization, role } = holder;
  const [wanted, asked] = [kind === "site" ? "a site" : "a person", claim.kind === "user" ? "a person" : `a ${claim.kind}`];
  const wrong =
    asked !== wanted
      ? `it is for ${asked}, not for ${wanted}`
      : claim.name !== participant
        ? `it is for '${claim.name}', and this is '${participant}'`
        : claim.org !== organization
          ? `it says organisation '${claim.org}', and '${participant}' belongs to '${organization}'`
          : claim.certificateType !== role
            ? `it asks for the role ${claim.certificateType}, and '${participant}' is ${role}`
            : project.name !== "" && claim.project !== project.name
              ? `it is for the project '${claim.project}', and this is '${project.name}'`
              : undefined;
  if (wrong !== undefined) throw new FlareError("request/mismatch", `The request does not fit: ${wrong}.`);
}
