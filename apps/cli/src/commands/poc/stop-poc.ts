import type { CommandContext, CommandOutput } from "../../command-line/command-context.js";
import type { PocService } from "./poc-federation.js";
import { pocFolder } from "./poc-folder.js";
import { preparedFederation, type ServiceSelection, selectServices } from "./select-services.js";

/** Stops services that run in the background: the sites together, then the relays, then the server. */
export async function stopPoc(context: CommandContext, options: ServiceSelection & { readonly timeoutMs: number }): Promise<CommandOutput> {
  const services = selectServices(await preparedFederation(pocFolder(context.env)), options);
  const outcomes = await stopServices(services, options.timeoutMs);
  return {
    data: outcomes.map(({ name, outcome }) => ({ name, outcome })),
    text: outcomes.map(({ name, outcome }) => `${name} ${outcome === "stopped" ? "stopped" : "was not running"}`),
  };
}

/** Stops services, clients first so that none of them dials a relay or a server that is gone. */
export async function stopServices(
  services: readonly PocService[],
  timeoutMs: number,
): Promise<readonly { readonly name: string; readonly outcome: "stopped" | "not-running" }[]> {
  const { stopDaemon } = await import("@flare-ts/runtime");
  const stop = async (service: PocService): Promise<{ name: string; outcome: "stopped" | "not-running" }> => ({
    name: service.name,
    outcome: await stopDaemon(service.kit, { timeoutMs }),
  });
  const clients = await Promise.all(services.filter((service) => service.kind === "client").map(stop));
  const relays = await Promise.all(services.filter((service) => service.kind === "relay").map(stop));
  const servers = await Promise.all(services.filter((service) => service.kind === "server").map(stop));
  return [...clients, ...relays, ...servers];
}
