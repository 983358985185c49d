import { FlareError, limits, type SerializedFlareError } from "@flare-ts/contracts";
import type { SubmitUpdateRequest, TaskSpan as WireSpan } from "@flare-ts/contracts/wire";
import type { JobEvent, Metrics, ParamsType, TaskSpan } from "../job/job-event.js";
import { takeWire } from "../job/update-wire.js";
import { capPeerText } from "../logging/logger.js";
import { taskKeyFromWire } from "../transport/wire-values.js";

/** Ten years: whatever is more is no time. */
const longestSpanMs = 10n * 366n * 86_400_000n;

type JobEventOf<Type extends JobEvent["type"]> = Extract<JobEvent, { type: Type }>;

/**
 * What a site says of an update that it hands in, checked; whether the update is there is another question.
 *
 * @throws FlareError `runtime/bad-message`, `runtime/report-too-large`
 */
export function readReport(site: string, request: SubmitUpdateRequest): Omit<JobEventOf<"update-accepted">, "update"> {
  const { round, task } = taskKeyFromWire(request.key);
  const told = spans(request.spans, site);
  return {
    type: "update-accepted",
    round,
    task,
    site,
    paramsType: paramsType(request.paramsType),
    weight: weight(request.weight, site),
    metrics: metrics(request.metricsJson, site),
    ...takeWire(plainObject(request.metaJson, "properties", site)),
    ...(told.length === 0 ? {} : { spans: told }),
  };
}

/** An error that a site sent; what is not one is told as it came. */
export function peerError(json: string): SerializedFlareError {
  try {
    const error = FlareError.fromJSON(JSON.parse(json) as SerializedFlareError).toJSON();
    const message = capPeerText(error.message);
    return json.length > limits.reportedErrorChars ? { code: error.code, message } : { ...error, message };
  } catch {
    return { code: "internal/bug", message: capPeerText(json) };
  }
}

function paramsType(text: string): ParamsType {
  if (text === "FULL" || text === "DIFF") return text;
  throw new FlareError("runtime/bad-message", `An update's parameters are FULL or DIFF, not '${capPeerText(text)}'.`);
}

function weight(value: number, site: string): number {
  if (Number.isFinite(value) && value > 0) return value;
  throw new FlareError("runtime/bad-message", `The update of ${site} has the weight ${value}; a weight is positive and finite.`, {
    facts: { site },
  });
}

function spans(told: readonly WireSpan[], site: string): readonly TaskSpan[] {
  if (told.length > limits.taskSpans) {
    const message = `The update of ${site} names ${told.length} phases of its task; at most ${limits.taskSpans} are taken.`;
    throw new FlareError("runtime/bad-message", message, { facts: { site, count: told.length, limit: limits.taskSpans } });
  }
  return told.map(({ phase, reason, ms }) => {
    if (!/^[a-z-]{1,32}$/.test(phase) || ms > longestSpanMs)
      throw new FlareError("runtime/bad-message", `A phase of the update of ${site} is '${capPeerText(phase)}' for ${ms} ms.`, {
        facts: { site },
      });
    return { phase, ...(reason === "" ? {} : { reason: capPeerText(reason) }), ms: Number(ms) };
  });
}

function metrics(json: string, site: string): Metrics {
  const value = plainObject(json, "metrics", site);
  if (Object.values(value).every((item) => typeof item === "number" && Number.isFinite(item))) return value as Metrics;
  throw new FlareError("runtime/bad-message", `The metrics of ${site} are not an object of finite numbers.`, { facts: { site } });
}

function plainObject(json: string, what: string, site: string): Readonly<Record<string, unknown>> {
  if (json.length > limits.reportChars) {
    const message = `The ${what} of an update of ${site} have ${json.length} characters of JSON; at most ${limits.reportChars} are taken.`;
    throw new FlareError("runtime/report-too-large", message, { facts: { site, what, chars: json.length, limit: limits.reportChars } });
  }
  const value = json === "" ? {} : parse(json);
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Readonly<Record<string, unknown>>;
  throw new FlareError("runtime/bad-message", `The ${what} of an update of ${site} are not a JSON object.`, { facts: { site, what } });
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
