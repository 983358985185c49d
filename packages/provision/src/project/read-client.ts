import { commonOf, identityOf, type ParticipantSource, type Written } from "./participant-source.js";
import type { ClientParticipant } from "./project.js";
import { readConnectTo, type Targets } from "./read-connect-to.js";
import { readListeningHost } from "./read-listening-host.js";

/** Where a site stands among the sites. */
export interface SitePosition {
  /** From the top of the hierarchy down to the site. */
  readonly path: readonly string[];
  readonly isLeaf: boolean;
}

/** Fills in FLARE's defaults of a site. */
export function readClient(source: ParticipantSource<Written<"client">>, targets: Targets, position: SitePosition): ClientParticipant {
  const { written, path, project, findings } = source;
  const common = commonOf(source);
  const listening = written.listening_host ?? undefined;
  const parent = position.path.at(-2);
  return Object.freeze({
    ...common,
    type: "client",
    ...readConnectTo({ ...source, targets, connectionSecurity: common.connectionSecurity }),
    ...(listening === undefined ? {} : { listeningHost: readListeningHost(listening, "localhost", [...path, "listening_host"], findings) }),
    ...(parent === undefined ? {} : { parent }),
    fqsn: position.path.join("."),
    isLeaf: position.isLeaf,
    gpus: written.capacity?.num_of_gpus ?? 0,
    memPerGpuGiB: written.capacity?.mem_per_gpu_in_GiB ?? 0,
    allowLogStreaming: written.allow_log_streaming ?? project.allow_log_streaming ?? false,
    ...identityOf(written),
  });
}
