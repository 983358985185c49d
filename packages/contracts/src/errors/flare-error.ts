import { type ErrorCode, errorCatalogue } from "./catalogue/index.js";
import type { ErrorRow } from "./catalogue/row.js";

/** A JSON value; facts of errors are made of these, so that they cross processes unchanged. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** One mistake in a file that a person writes. */
export interface Problem {
  readonly message: string;
  readonly file?: string;
  /** 1-based. */
  readonly line?: number;
  /** 1-based. */
  readonly column?: number;
  /** Path inside the document, such as `participants[0].name`. */
  readonly path?: string;
}

export interface FlareErrorOptions {
  /** Plain JSON that explains the error; never secrets, never tensor bytes. */
  readonly facts?: { readonly [key: string]: Json };
  /** Each mistake by itself, where there are several. */
  readonly problems?: readonly Problem[];
  readonly cause?: unknown;
}

/** How an error looks on its way to another process. */
export interface SerializedFlareError {
  readonly code: string;
  readonly message: string;
  readonly facts?: { readonly [key: string]: Json };
  readonly problems?: readonly Problem[];
}

/**
 * The one error class: its code finds the row of the catalogue that says whether to retry, which exit status, gRPC
 * and HTTP status follow, and whose move it is.
 */
export class FlareError extends Error {
  override readonly name = "FlareError";
  readonly code: ErrorCode;
  readonly facts: { readonly [key: string]: Json };
  readonly problems: readonly Problem[];

  constructor(code: ErrorCode, message: string, options: FlareErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.facts = options.facts ?? {};
    this.problems = options.problems ?? [];
  }

  /** The row of the catalogue for this error's code. */
  get row(): ErrorRow {
    return errorCatalogue[this.code];
  }

  toJSON(): SerializedFlareError {
    return {
      code: this.code,
      message: this.message,
      ...(Object.keys(this.facts).length > 0 ? { facts: this.facts } : {}),
      ...(this.problems.length > 0 ? { problems: this.problems } : {}),
    };
  }

  /** Rebuilds an error that another process sent; an unknown code becomes `internal/bug` with the code kept in the facts. */
  static fromJSON(value: SerializedFlareError): FlareError {
    const { code, message, facts = {}, problems = [] } = value;
    if (isErrorCode(code)) return new FlareError(code, message, { facts, problems });
    return new FlareError("internal/bug", message, { facts: { ...facts, unknownCode: code }, problems });
  }

  /** Turns anything caught into a FlareError; what is not one becomes `internal/bug` with the cause kept. */
  static from(reason: unknown): FlareError {
    if (reason instanceof FlareError) return reason;
    if (reason instanceof Error && reason.name === "AbortError") {
      return new FlareError("internal/aborted", "The operation was stopped.", { cause: reason });
    }
    // That of AbortSignal.timeout: whoever calls has set the time.
    if (reason instanceof DOMException && reason.name === "TimeoutError") {
      return new FlareError("internal/aborted", "The operation was stopped: the time that was set for it is over.", { cause: reason });
    }
    const message = reason instanceof Error ? reason.message : String(reason);
    return new FlareError("internal/bug", message, { cause: reason });
  }
}

/** Whether a text is a code of the catalogue. */
export function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(errorCatalogue, code);
}
