import { FlareError, limits, type SerializedFlareError } from "@flare-ts/contracts";
import { Metadata, type ServiceError, status } from "@grpc/grpc-js";

/** Metadata key under which a refused call carries the serialised error. */
const errorKey = "flare-error-bin";

/** What grpc-js sends for a failed call. */
export interface WireStatus {
  readonly code: number;
  readonly details: string;
  readonly metadata: Metadata;
}

/**
 * Makes the status that carries an error to the peer. What is not a FlareError is a bug of ours: the peer learns that,
 * and nothing of our insides.
 */
export function toWireStatus(reason: unknown): WireStatus {
  const error = reason instanceof FlareError ? reason : publicForm(FlareError.from(reason));
  const metadata = new Metadata();
  metadata.set(errorKey, encode(error));
  // A cut may leave half of a character, for which grpc-js has no way to be sent: it throws, and the call gets no answer.
  return { code: error.row.grpc, details: error.message.slice(0, limits.peerTextChars).toWellFormed(), metadata };
}

/** Rebuilds the error of a failed call: the peer's own FlareError, or what its absence means. */
export function fromWireStatus(failure: unknown, peer: string): FlareError {
  if (failure instanceof FlareError) return failure;
  if (!isServiceError(failure)) return FlareError.from(failure);
  const sent = decode(failure.metadata);
  if (sent !== undefined) return sent;
  // grpc-js ends some messages with an empty "Resolution note".
  const details = failure.details.replace(/\s*Resolution note:\s*$/, "").slice(0, limits.peerTextChars);
  const facts = { peer, grpc: status[failure.code] ?? String(failure.code), details };
  if (isDisconnect(failure)) {
    return new FlareError("transfer/disconnected", `The connection to ${peer} ended: ${details}`, { facts, cause: failure });
  }
  return new FlareError("transfer/protocol", `${peer} refused the call: ${details}`, { facts, cause: failure });
}

function publicForm(error: FlareError): FlareError {
  if (error.code !== "internal/bug") return new FlareError(error.code, error.message);
  return new FlareError("internal/bug", "Something unexpected happened on the other side; its log says what.");
}

// HTTP/2 header lists are limited to 64 KiB by default, and binary metadata grows by a third.
const maxErrorBytes = 16_384;

function encode(error: FlareError): Buffer {
  const whole = Buffer.from(JSON.stringify(error.toJSON()), "utf8");
  if (whole.byteLength <= maxErrorBytes) return whole;
  const { code, message } = error;
  const problems = error.problems.slice(0, 10).map((problem) => ({ ...problem, message: problem.message.slice(0, limits.peerTextChars) }));
  // What a problem says of its place, such as a key that somebody wrote, may be longer than all there is room for.
  for (; ; problems.pop()) {
    const part = Buffer.from(JSON.stringify({ code, message: message.slice(0, limits.peerTextChars), problems }), "utf8");
    if (part.byteLength <= maxErrorBytes || problems.length === 0) return part;
  }
}

function decode(metadata: Metadata): FlareError | undefined {
  const [value] = metadata.get(errorKey);
  if (!Buffer.isBuffer(value)) return undefined;
  try {
    const parsed: unknown = JSON.parse(value.toString("utf8"));
    return isSerialized(parsed) ? FlareError.fromJSON(parsed) : undefined;
  } catch {
    return undefined;
  }
}

function isSerialized(value: unknown): value is SerializedFlareError {
  if (typeof value !== "object" || value === null) return false;
  const { code, message, facts, problems } = value as { [key: string]: unknown };
  if (typeof code !== "string" || typeof message !== "string") return false;
  if (facts !== undefined && (typeof facts !== "object" || facts === null || Array.isArray(facts))) return false;
  return problems === undefined || (Array.isArray(problems) && problems.every(isProblem));
}

function isProblem(value: unknown): boolean {
  return typeof value === "object" && value !== null && "message" in value && typeof value.message === "string";
}

function isServiceError(value: unknown): value is ServiceError {
  return value instanceof Error && "code" in value && typeof value.code === "number" && "details" in value && "metadata" in value;
}

function isDisconnect({ code, details }: ServiceError): boolean {
  if (code === status.UNAVAILABLE || code === status.CANCELLED || code === status.DEADLINE_EXCEEDED) return true;
  // A stream that ends without a status: the peer died in the middle of it.
  return code === status.INTERNAL && details.includes("RST_STREAM");
}
