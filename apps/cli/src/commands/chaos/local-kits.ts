import { lookup } from "node:dns/promises";
import { realpath } from "node:fs/promises";
import { sep } from "node:path";
import type { ChaosKits } from "@flare-ts/chaos";
import { FlareError } from "@flare-ts/contracts";
import type { PocFederation } from "../poc/poc-federation.js";

/**
 * The kits of a POC federation, once it is sure that faults in it concern nobody else.
 *
 * @throws FlareError `poc/not-local` when a kit lies outside the POC workspace, or names a server that is not on the loopback of this
 *   machine, as the kits of a federation at work do.
 */
export async function localKits(federation: PocFederation): Promise<ChaosKits> {
  const { readKit } = await import("@flare-ts/provision/kit");
  const folder = await realpath(federation.folder);
  const ports = new Set<number>();
  for (const kitDir of [...federation.services.map((service) => service.kit), federation.adminKit]) {
    if (!(await realpath(kitDir)).startsWith(`${folder}${sep}`)) {
      throw new FlareError("poc/not-local", `${kitDir} is not in the POC workspace ${folder}.`, { facts: { kit: kitDir, folder } });
    }
    const { host, port } = (await readKit(kitDir)).endpoint;
    if (!(await isLoopback(host))) {
      throw new FlareError("poc/not-local", `${kitDir} is for a server at ${host}, which is not this machine's loopback.`, {
        facts: { kit: kitDir, host },
      });
    }
    ports.add(port);
  }
  const [server, ...sites] = federation.services;
  const [port] = ports;
  if (server === undefined || port === undefined || ports.size > 1) {
    throw new FlareError("poc/not-local", "The kits of the POC federation do not belong to one server.", { facts: { ports: [...ports] } });
  }
  return { server, sites, adminKit: federation.adminKit, port };
}

async function isLoopback(host: string): Promise<boolean> {
  const addresses = await lookup(host, { all: true }).catch(() => []);
  return addresses.length > 0 && addresses.every(({ address }) => address === "::1" || address.startsWith("127."));
}
