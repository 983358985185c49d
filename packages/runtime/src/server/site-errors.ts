import { errorCatalogue, isErrorCode, type SerializedFlareError } from "@flare-ts/contracts";

/** The last thing that went wrong at a site, with its cause. */
export interface SiteError {
  readonly atMs: number;
  readonly code: string;
  readonly message: string;
  /** What to do, by the catalogue; empty for an error of a newer version. */
  readonly todo: string;
  /** Job that it happened in. */
  readonly jobId: string | null;
}

/** Remembers the last error of each site since the server started. */
export class SiteErrors {
  readonly #now: () => number;
  readonly #last = new Map<string, SiteError>();

  constructor(components: { readonly now: () => number }) {
    this.#now = components.now;
  }

  note(site: string, jobId: string | null, { code, message }: SerializedFlareError): void {
    const todo = isErrorCode(code) ? errorCatalogue[code].todo : "";
    this.#last.set(site, { atMs: this.#now(), code, message, todo, jobId });
  }

  of(site: string): SiteError | undefined {
    return this.#last.get(site);
  }
}
