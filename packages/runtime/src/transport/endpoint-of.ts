import type { Kit } from "@flare-ts/provision/kit";
import type { DialServerInit } from "./dial-server.js";

/** Where a kit's server is, or the relay that stands for it, and who is calling, for `dialServer`. */
export function endpointOf(kit: Kit): Omit<DialServerInit, "keys"> {
  const { host, port, connectionSecurity } = kit.endpoint;
  return {
    host,
    port,
    connectionSecurity,
    customRootCaPem: kit.customCaPem,
    serverIdentity: kit.serverIdentity,
    project: kit.project,
    name: kit.name,
    relay: kit.relay?.name,
    isRelay: kit.type === "relay",
  };
}
