/** One mistake in a request. */
export interface ApiProblem {
  readonly message: string;
  /** Where it is, such as `body.sites[0].name`. */
  readonly path?: string;
}

/** What the dashboard answers where something is wrong. */
export interface ErrorAnswer {
  readonly error: {
    /** A code of the catalogue, `area/what`. */
    readonly code: string;
    /** What happened. */
    readonly message: string;
    /** What to do next. */
    readonly todo: string;
    readonly problems?: readonly ApiProblem[];
    /** How long to wait before the next attempt, where waiting helps. */
    readonly retryAfterMs?: number;
  };
}

/** An answer of the dashboard that is an error, as callers of the client catch it. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly status: number;
  readonly code: string;
  readonly todo: string;
  readonly problems: readonly ApiProblem[];
  readonly retryAfterMs: number | undefined;

  constructor(status: number, error: ErrorAnswer["error"]) {
    super(error.message);
    this.status = status;
    this.code = error.code;
    this.todo = error.todo;
    this.problems = error.problems ?? [];
    this.retryAfterMs = error.retryAfterMs;
  }
}
