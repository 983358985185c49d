import type { CommandContext, CommandOutput } from "../../command-line/command-context.js";
import { stopServices } from "../../local-federation/stop-services.js";
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
