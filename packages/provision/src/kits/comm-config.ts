import type { CommConfig } from "@flare-ts/contracts";
import type { ListeningHost } from "../project/project.js";
import { jsonFile, type KitFile } from "./kit-file.js";

/** Where a process without a `listening_host` would listen for its own jobs: FLARE's defaults. */
const noListener: ListeningHost = { scheme: "tcp", hosts: ["localhost"], port: 0, connectionSecurity: "clear" };

/** `local/comm_config.json` of who lets others in behind it, or is itself behind a relay; nothing for everybody else. */
export function commConfigFiles(listener: ListeningHost | undefined, { isBehindRelay }: { isBehindRelay: boolean }): KitFile[] {
  if (listener === undefined && !isBehindRelay) return [];
  const { scheme, hosts, port, connectionSecurity } = listener ?? noListener;
  const config: CommConfig = {
    allow_adhoc_conns: false,
    backbone_conn_gen: isBehindRelay ? 1 : 2,
    internal: { scheme, resources: { host: hosts[0], ...(port === 0 ? {} : { port }), connection_security: connectionSecurity } },
  };
  return [jsonFile("local/comm_config.json", config)];
}
