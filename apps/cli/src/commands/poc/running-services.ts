import type { PocService } from "./poc-federation.js";

/** Names of the services that run in the background, in the order given. */
export async function runningServices(services: readonly PocService[]): Promise<string[]> {
  const { daemonStatus } = await import("@flare-ts/runtime");
  const states = await Promise.all(
    services.map(async (service) => ({ name: service.name, state: (await daemonStatus(service.kit)).state })),
  );
  return states.filter(({ state }) => state === "running").map(({ name }) => name);
}
