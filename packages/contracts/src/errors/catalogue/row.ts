/** Whose move it is when an error occurs. */
export type Culprit = "user" | "site" | "server" | "bug";

/** Exit statuses of the `flare` command; the meanings are FLARE's. */
export const exitStatus = {
  ok: 0,
  error: 1,
  connection: 2,
  timeout: 3,
  invalidArguments: 4,
  internal: 5,
} as const;

/** gRPC status numbers that our errors travel as. */
export const grpcStatus = {
  cancelled: 1,
  invalidArgument: 3,
  deadlineExceeded: 4,
  notFound: 5,
  alreadyExists: 6,
  permissionDenied: 7,
  resourceExhausted: 8,
  failedPrecondition: 9,
  aborted: 10,
  outOfRange: 11,
  internal: 13,
  unavailable: 14,
  dataLoss: 15,
  unauthenticated: 16,
} as const;

/** One row of the error catalogue: everything that follows from a code. */
export interface ErrorRow {
  /** What the code means, in one sentence. */
  readonly means: string;
  /** What the person whose move it is should do. */
  readonly todo: string;
  readonly whose: Culprit;
  /** Whether the same call may succeed later without anybody's help. */
  readonly isRetryable: boolean;
  readonly exit: (typeof exitStatus)[keyof typeof exitStatus];
  readonly grpc: (typeof grpcStatus)[keyof typeof grpcStatus];
  readonly http: number;
}

const byCulprit = {
  user: { exit: exitStatus.error, grpc: grpcStatus.invalidArgument, http: 400 },
  site: { exit: exitStatus.error, grpc: grpcStatus.failedPrecondition, http: 409 },
  server: { exit: exitStatus.error, grpc: grpcStatus.unavailable, http: 503 },
  bug: { exit: exitStatus.internal, grpc: grpcStatus.internal, http: 500 },
} as const;

/** Builds a row; what is not given follows from whose move it is. */
export function row(
  whose: Culprit,
  means: string,
  todo: string,
  rest: Partial<Pick<ErrorRow, "isRetryable" | "exit" | "grpc" | "http">> = {},
): ErrorRow {
  return Object.freeze({ means, todo, whose, isRetryable: false, ...byCulprit[whose], ...rest });
}
