import type { Audit } from "./auth-event.js";
import type { ConnectionBinding } from "./connection-binding.js";
import type { Identity } from "./identity.js";
import type { ProjectKeys } from "./project-keys.js";

export interface AuthenticatorComponents {
  /** Hears of every registration, refusal and end. */
  readonly audit: Audit;
  /** Whether a proven identity may (still) take part. @default everybody may */
  readonly isAllowed?: (identity: Pick<Identity, "name" | "fingerprint">) => boolean;
  /** Refuses who is proven and may take part, and is to have no session for now, by throwing the reason. @default nobody */
  readonly admit?: (identity: Identity) => void;
  /** The server's keys of a certificate that it showed, while they are good. @default none but those in force */
  readonly keysShown?: (fingerprint: string | undefined) => ProjectKeys | undefined;
  /** Whether a participant should renew its certificate soon, whatever its age. @default nobody should */
  readonly shouldRenew?: (identity: Identity) => boolean;
  /** @default MutualTlsBinding */
  readonly binding?: ConnectionBinding;
  /** Milliseconds since the epoch; certificates are judged by it. @default Date.now */
  readonly now?: () => number;
  /** Milliseconds of a clock that never jumps; tokens, challenges and silence are measured by it. @default now */
  readonly steadyNow?: () => number;
}

export interface AuthenticatorInit {
  readonly project: string;
  /** Common name of the server's certificate. */
  readonly serverName: string;
  readonly keys: ProjectKeys;
  /** How long after its end a certificate may be renewed. @default 0 */
  readonly renewalGraceMs?: number;
  /** @default limits.registrationMs */
  readonly registrationMs?: number;
  /** @default limits.tokenMs */
  readonly tokenMs?: number;
  /** @default limits.silenceMs */
  readonly silenceMs?: number;
  /** @default limits.adminIdleMs */
  readonly adminIdleMs?: number;
}
