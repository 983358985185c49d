import { lookup } from "node:dns/promises";
import { once } from "node:events";
import { createServer } from "node:net";
import { networkInterfaces } from "node:os";
import { FlareError } from "@flare-ts/contracts";
import type { Kit } from "@flare-ts/provision/kit";
import { readInstance } from "../process/instance-lock.js";
import { isLoopback } from "../transport/connection-security.js";
import { failed, type PreflightCheck, passed, problemOf, warned } from "./preflight-check.js";

/** Where a server or a relay listens. */
type Listening = Pick<Kit["endpoint"], "port" | "connectionSecurity" | "hosts">;

/** Whether the server or relay of a kit can listen on its port. */
export async function checkListening({ dir, type }: Kit, { port, connectionSecurity }: Listening): Promise<PreflightCheck> {
  const host = connectionSecurity === "clear" ? "127.0.0.1" : "0.0.0.0";
  const server = createServer();
  try {
    server.listen(port, host);
    await once(server, "listening");
    server.close();
    return passed("listen", `Port ${port} can be opened on ${host}; sites reach it by ${connectionSecurity}.`, { port, host });
  } catch (error) {
    const running = readInstance(dir);
    if (running !== undefined && running.port === port)
      return passed("listen", `The ${type} of this kit runs already, as process ${running.pid}, and listens on port ${port}.`, {
        port,
        pid: running.pid,
      });
    return problemOf(
      "listen",
      new FlareError("transfer/cannot-listen", `Port ${port} cannot be opened on ${host}: ${(error as Error).message}`, {
        facts: { port, host },
      }),
    );
  }
}

/** What can be said from here about whether sites reach a server or a relay: where its names lead. Only a site can try it. */
export async function checkReach({ endpoint, type }: Kit, { hosts, port }: Listening): Promise<PreflightCheck> {
  const [host = endpoint.host] = hosts;
  if (isLoopback(host)) return warned("reach", `${host} is this machine: no site elsewhere can reach it.`, loopbackTodo(type), { host });
  const addresses = await lookup(host, { all: true }).catch(() => []);
  if (addresses.length === 0) {
    return failed(
      "reach",
      `The name ${host} leads to no address.`,
      "Have the name entered in the DNS that the sites ask, or correct default_host.",
      { host },
    );
  }
  const own = new Set(Object.values(networkInterfaces()).flatMap((list) => (list ?? []).map(({ address }) => address)));
  const list = addresses.map(({ address }) => address);
  const facts = { host, addresses: list };
  if (list.some((address) => own.has(address)))
    return passed(
      "reach",
      `${host} leads to this machine (${list.join(", ")}). Run \`flare preflight\` at a site to see whether port ${port} is open to it.`,
      facts,
    );
  return warned(
    "reach",
    `${host} leads to ${list.join(", ")}, which is not an address of this machine.`,
    `Let a proxy or a port forwarding there lead to port ${port} here (docs/networking.md), and run \`flare preflight\` at a site.`,
    facts,
  );
}

function loopbackTodo(type: Kit["type"]): string {
  return `For sites on other machines, give the ${type} a name in project.yml that they can resolve, and provision anew.`;
}
