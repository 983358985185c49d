import { FlareError } from "@flare-ts/contracts";
import type { Kit, ProjectTrust } from "@flare-ts/provision/kit";
import { readProjectKeys } from "../session/project-keys.js";
import { dialServer } from "../transport/dial-server.js";
import { endpointOf } from "../transport/endpoint-of.js";
import { measureBandwidth } from "./measure-bandwidth.js";
import { type PreflightCheck, passed, problemOf, skipped } from "./preflight-check.js";
import type { PreflightParts } from "./preflight-parts.js";

export interface CheckServerInit {
  readonly kit: Kit;
  readonly trust: ProjectTrust;
  readonly modelBytes: number;
  readonly isClearAllowed: boolean;
  /** How long each direction is measured. */
  readonly measureMs: number;
  readonly signal: AbortSignal;
}

/** Registers as the participant: the server proves itself, lets it in or says why not, and the way is measured. */
export async function checkServer(
  { steadyNow, environment }: Pick<PreflightParts, "steadyNow" | "environment">,
  { kit, trust, modelBytes, isClearAllowed, measureMs, signal }: CheckServerInit,
): Promise<readonly PreflightCheck[]> {
  const proven = `${kit.serverIdentity} proved that it is the server of project ${kit.project}`;
  const facts = { server: kit.serverIdentity, project: kit.project };
  let connection: Awaited<ReturnType<typeof dialServer>>;
  try {
    connection = await dialServer({ ...endpointOf(kit), keys: readProjectKeys(kit, trust), environment, isClearAllowed }, signal);
  } catch (error) {
    signal.throwIfAborted();
    const refusal = FlareError.from(error);
    if (refusal.code !== "auth/already-connected") return [problemOf("server", error), skipped("bandwidth", "Not tried.")];
    // A refusal comes after the server's proof, and this one means that everything works.
    return [
      passed("server", `${proven}; ${kit.name} is connected to it at this moment.`, facts),
      skipped("bandwidth", `Not measured, as ${kit.name} is connected from elsewhere: stop it first.`),
    ];
  }
  const server = passed("server", `${proven}, and it lets ${kit.name} in.`, facts);
  if (kit.type === "relay") {
    connection.close();
    return [server, skipped("bandwidth", "Not measured: a site behind the relay can measure the whole way.")];
  }
  try {
    const { up, down } = await measureBandwidth(connection, { steadyNow, signal, lastMs: measureMs });
    return [server, bandwidthCheck(up, down, modelBytes)];
  } catch (error) {
    signal.throwIfAborted();
    return [server, skipped("bandwidth", `Not measured: ${FlareError.from(error).message}`)];
  } finally {
    connection.close();
  }
}

function bandwidthCheck(up: number, down: number, modelBytes: number): PreflightCheck {
  const seconds = (rate: number): number => modelBytes / Math.max(rate, 1);
  const rates = `${rateText(down)} down, ${rateText(up)} up`;
  const model = modelBytes < 1e9 ? `${Math.round(modelBytes / 1e6)} MB` : `${(modelBytes / 1e9).toFixed(1)} GB`;
  return passed(
    "bandwidth",
    `${rates}: a model of ${model} comes in ${secondsText(seconds(down))} and goes out in ${secondsText(seconds(up))}.`,
    {
      up_bytes_per_second: Math.round(up),
      down_bytes_per_second: Math.round(down),
      model_bytes: modelBytes,
      seconds_down: Number(seconds(down).toPrecision(3)),
      seconds_up: Number(seconds(up).toPrecision(3)),
    },
  );
}

function rateText(bytesPerSecond: number): string {
  return bytesPerSecond < 1e6 ? `${Math.round(bytesPerSecond / 1e3)} kB/s` : `${(bytesPerSecond / 1e6).toFixed(1)} MB/s`;
}

function secondsText(seconds: number): string {
  return seconds < 10 ? `${seconds.toFixed(1)} s` : `${Math.round(seconds)} s`;
}
