import type { Selectable } from "kysely";
import type { CertificateRequest } from "../contract/certificate-requests.js";
import type { Database } from "../db/tables.js";
import { isFrozen, type StoredProject } from "../project/project-store.js";
import { readSite, type StoredSite } from "../project/site-store.js";
import { consoleHolder, type Holder } from "./issue-kits.js";
import type { CertificateRequestsTable } from "./kit-tables.js";

/** A request's row. */
export type RequestRow = Selectable<CertificateRequestsTable>;

/** A site or person that asks for a certificate for a key of its own. */
export interface RequestHolder extends Holder {
  readonly kind: "site" | "console";
  /** Of the site or person. */
  readonly id: string;
  readonly isApproved: boolean;
}

/** A site as the holder of a request. */
export function siteHolder({ id, name, organization, state }: StoredSite): RequestHolder {
  const holder = { participant: name, organization, role: "client", siteId: id, personId: null };
  return { kind: "site", id, ...holder, isApproved: state === "approved" };
}

/**
 * A person as the holder of a request.
 *
 * @throws FlareError `dashboard/waits-for-approval`, `dashboard/conflict`
 */
export async function personHolder(db: Database, project: StoredProject, personId: string): Promise<RequestHolder> {
  return { ...(await consoleHolder(db, project, personId)), kind: "console", id: personId, isApproved: true };
}

/** The holder of a request as it is by now. */
export async function holderOf(db: Database, project: StoredProject, { site_id, person_id }: RequestRow): Promise<RequestHolder> {
  return site_id === null ? await personHolder(db, project, person_id ?? "") : siteHolder(await readSite(db, site_id));
}

/** All requests that are not answered yet, by the id of their site or person. */
export async function readRequests(db: Database): Promise<ReadonlyMap<string, Omit<RequestRow, "archive">>> {
  const rows = await db
    .selectFrom("certificate_requests")
    .select(["holder_id", "site_id", "person_id", "request_id", "public_key_sha256", "uploaded_at_ms", "uploaded_by", "problem"])
    .execute();
  return new Map(rows.map((row) => [row.holder_id, row]));
}

/** What a request waits for. */
export function waitsFor(
  project: StoredProject,
  { isApproved }: Pick<RequestHolder, "isApproved">,
  isUnlocked: boolean,
): CertificateRequest["waitsFor"] {
  if (!isApproved) return "decision";
  if (!isFrozen(project)) return "freeze";
  return isUnlocked ? "nothing" : "unlock";
}

/** A request as the contract shows it. */
export function showRequest(row: Omit<RequestRow, "archive">, waits: CertificateRequest["waitsFor"]): CertificateRequest {
  return {
    requestId: row.request_id,
    publicKeySha256: row.public_key_sha256,
    uploadedAtMs: row.uploaded_at_ms,
    uploadedBy: row.uploaded_by,
    waitsFor: waits,
    problem: row.problem,
  };
}
