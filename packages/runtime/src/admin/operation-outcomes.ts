import type { FlareError, Json, SerializedFlareError } from "@flare-ts/contracts";

/** How far one participant got with a command: it will do it, has done it, has gone as it said, or why it has not. */
export type TargetOutcome =
  | { readonly stage: "accepted" | "gone"; readonly result?: undefined; readonly error?: undefined }
  | { readonly stage: "done"; readonly result?: Json; readonly error?: undefined }
  | { readonly stage: "failed"; readonly error: SerializedFlareError; readonly result?: undefined };

/** What the server answers to a command for several participants. */
export interface ProcessOutcomes {
  readonly sites: Readonly<Record<string, TargetOutcome>>;
  readonly server?: TargetOutcome;
}

/** Whom a command is for: the server, sites, or all of them; FLARE's words. */
export type OperationTarget = "server" | "client" | "all";

/** What came of a command at one participant. */
export interface OperationOutcome<Result = undefined> {
  readonly name: string;
  readonly kind: "server" | "client";
  /** `accepted`: it has said that it will, and was not waited for. */
  readonly state: "done" | "accepted" | "failed";
  /** What it says, where it is done. */
  readonly result?: Result | undefined;
  /** Why it failed. */
  readonly error?: FlareError | undefined;
}

export interface OperationOptions {
  /** Names of sites, of the targets `client` and `all`. @default all that are connected */
  readonly sites?: readonly string[] | undefined;
  /** How long each step may take. @default 30_000 */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface EndOptions extends OperationOptions {
  /** Whether it is waited for what happens, or only for the word of each that it will. @default true */
  readonly isAwaited?: boolean | undefined;
  /** Hears of each participant as soon as it is known what came of it. */
  readonly onOutcome?: ((outcome: OperationOutcome) => void) | undefined;
}

/** What came of keeping a site out, or of letting it in again. */
export interface SiteAdmission {
  readonly site: string;
  /** Whether it was kept out before. */
  readonly wasDisabled: boolean;
  /** Whether the server has seen a site of this name since it started: a name may be misspelt. */
  readonly isKnown: boolean;
  /** Jobs that it has left. */
  readonly leftJobs: readonly string[];
}
