import { errorCatalogue, isErrorCode, type SerializedFlareError } from "@flare-ts/contracts";

/** The last thing that went wrong at a site, with its cause. */
export interface SiteError {
  readonly atMs: number;
  readonly code: string;
  readonly message: string;
  /** What to do, by the catalogue; empty for an error of a newer version. */
  readonly todo: string;
  /** Job that it happened in. */
  readonly jobId: string;
}

/** Remembers the last error of each site since the server started, for each study by itself. */
export class SiteErrors {
  readonly #now: () => number;
  readonly #last = new Map<string, Map<string, SiteError>>();

  constructor(components: { readonly now: () => number }) {
    this.#now = components.now;
  }

  note(site: string, { jobId, study }: { readonly jobId: string; readonly study: string }, { code, message }: SerializedFlareError): void {
    const todo = isErrorCode(code) ? errorCatalogue[code].todo : "";
    const last = this.#last.get(site) ?? new Map<string, SiteError>();
    this.#last.set(site, last.set(study, { atMs: this.#now(), code, message, todo, jobId }));
  }

  /** The last one in a job of a study. */
  of(site: string, study: string): SiteError | undefined {
    return this.#last.get(site)?.get(study);
  }
}
