import type { PersonState } from "../contract/person.js";
import type { Role } from "../contract/roles.js";

/** A person with an account. */
export interface PeopleTable {
  readonly id: string;
  /** In small letters. */
  email: string;
  /** When it was proven that the account's holder reads what is sent to the address; `null` as long as it was not. */
  email_proven_at_ms: number | null;
  name: string;
  organization: string;
  role: Role;
  state: PersonState;
  /** scrypt, in the PHC string format; `null` for those who sign in elsewhere. */
  password_hash: string | null;
  /** Sealed; `null` without a second factor. */
  totp_secret: string | null;
  /** 1 once a code was confirmed. */
  totp_is_on: number;
  /** The time step of the last code that was used: no code counts twice (RFC 6238 5.2). */
  totp_last_step: number;
  readonly created_at_ms: number;
  last_sign_in_at_ms: number | null;
}

/** A code for a lost device; its row goes when it is used. */
export interface RecoveryCodesTable {
  readonly id: string;
  readonly person_id: string;
  readonly code_hash: string;
}

/** A session; a token's SHA-256 is all that is kept of it. */
export interface SessionsTable {
  readonly id: string;
  token_hash: string;
  readonly person_id: string;
  /** `second-factor` until the code came. */
  step: "second-factor" | "complete";
  readonly created_at_ms: number;
  last_seen_at_ms: number;
  readonly ends_at_ms: number;
  readonly address: string;
  readonly user_agent: string;
}

/** An account at an institution's sign-in that leads to a person. */
export interface OidcIdentitiesTable {
  readonly issuer: string;
  readonly subject: string;
  readonly person_id: string;
  readonly provider: string;
}

export interface InvitationsTable {
  readonly id: string;
  token_hash: string;
  /** 1: nobody saw the link but whoever reads what is sent to the address. */
  is_mailed: number;
  readonly email: string | null;
  readonly role: Role;
  readonly organization: string;
  readonly approves_at_once: number;
  readonly invited_by: string;
  /** When the link that is good now was made. */
  created_at_ms: number;
  expires_at_ms: number;
  used_at_ms: number | null;
  revoked_at_ms: number | null;
}

/** Single-use links: the set-up of a dashboard, a new password. The row goes when the link is used. */
export interface OneTimeLinksTable {
  readonly id: string;
  readonly kind: "set-up" | "password-reset";
  readonly token_hash: string;
  readonly person_id: string | null;
  /** 1: nobody saw the link but whoever reads the person's mail. */
  is_mailed: number;
  readonly expires_at_ms: number;
}

/** Failed attempts by account or address, as hashes: what somebody typed into the field may be a password. */
export interface AttemptsTable {
  readonly key: string;
  failures: number;
  last_at_ms: number;
  blocked_until_ms: number;
}

/** Tables of people and how they sign in. */
export interface PeopleTables {
  readonly people: PeopleTable;
  readonly recovery_codes: RecoveryCodesTable;
  readonly sessions: SessionsTable;
  readonly oidc_identities: OidcIdentitiesTable;
  readonly invitations: InvitationsTable;
  readonly one_time_links: OneTimeLinksTable;
  readonly attempts: AttemptsTable;
}
