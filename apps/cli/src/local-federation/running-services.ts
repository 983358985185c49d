import type { LocalService } from "./local-service.js";

/** Names of the services that run in the background, in the order given. */
export async function runningServices(services: readonly LocalService[]): Promise<string[]> {
  const { daemonStatus } = await import("@flare-ts/runtime");
  return services.filter((service) => daemonStatus(service.kit).state !== "stopped").map(({ name }) => name);
}
