/** Kits that were issued; no row ever goes. */
export interface KitsTable {
  readonly id: string;
  readonly kind: "site" | "server" | "console" | "dashboard";
  readonly participant: string;
  readonly organization: string;
  readonly role: string;
  readonly source: "made" | "requested";
  readonly serial: string;
  readonly fingerprint: string;
  /** The certificate and those of its issuers below the root; PEM. */
  readonly certificate_pem: string;
  /** Of the root in force when it was issued. */
  readonly root_fingerprint: string;
  /** Of the public key that was certified; of requests only. */
  readonly public_key_sha256: string | null;
  readonly valid_from_ms: number;
  readonly valid_to_ms: number;
  readonly issued_at_ms: number;
  readonly issued_by: string;
  readonly site_id: string | null;
  readonly person_id: string | null;
  /** `null` once the archive is gone. */
  archive_name: string | null;
  archive_bytes: number | null;
  archive_until_ms: number | null;
  delivered_at_ms: number | null;
  delivered_to: string | null;
  replaced_at_ms: number | null;
  /** Somebody wants it revoked; done at once, or when the CA is unlocked. */
  revocation_asked_at_ms: number | null;
  revocation_reason: string | null;
  revocation_by: string | null;
  revoked_at_ms: number | null;
}

/** The archive of a kit as base64: with a private key, sealed by a passphrase that is kept nowhere, or an answer to a request. */
export interface KitArchivesTable {
  readonly kit_id: string;
  readonly content: string;
}

/** The open link of a kit; the row goes when it is used. */
export interface KitLinksTable {
  readonly kit_id: string;
  readonly token_hash: string;
  readonly created_by: string;
  readonly expires_at_ms: number;
}

/** Certificate requests that wait for their answer, one of each site and of each person. */
export interface CertificateRequestsTable {
  /** Id of the site or person. */
  readonly holder_id: string;
  readonly site_id: string | null;
  readonly person_id: string | null;
  readonly request_id: string;
  readonly public_key_sha256: string;
  /** `<name>.request.zip` as base64; it holds no secret. */
  readonly archive: string;
  readonly uploaded_at_ms: number;
  readonly uploaded_by: string;
  problem: string | null;
}

/** Tables of kits. */
export interface KitTables {
  readonly kits: KitsTable;
  readonly kit_archives: KitArchivesTable;
  readonly kit_links: KitLinksTable;
  readonly certificate_requests: CertificateRequestsTable;
}
