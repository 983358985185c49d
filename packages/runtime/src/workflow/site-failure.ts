import type { SerializedFlareError } from "@flare-ts/contracts";

/** A site that failed, or that left, and why. */
export interface SiteFailure {
  readonly site: string;
  readonly error: SerializedFlareError;
}
