import type { LocalService } from "./local-service.js";

/** Stops services, clients first so that none of them dials a relay or a server that is gone. */
export async function stopServices(
  services: readonly LocalService[],
  timeoutMs: number,
): Promise<readonly { readonly name: string; readonly outcome: "stopped" | "not-running" }[]> {
  const { stopDaemon } = await import("@flare-ts/runtime");
  const stop = async (service: LocalService): Promise<{ name: string; outcome: "stopped" | "not-running" }> => ({
    name: service.name,
    outcome: await stopDaemon(service.kit, { timeoutMs }),
  });
  const clients = await Promise.all(services.filter((service) => service.kind === "client").map(stop));
  const relays = await Promise.all(services.filter((service) => service.kind === "relay").map(stop));
  const servers = await Promise.all(services.filter((service) => service.kind === "server").map(stop));
  return [...clients, ...relays, ...servers];
}
