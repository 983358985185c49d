import { FlareError, nearestWord } from "@flare-ts/contracts";
import type { LocalService } from "../../local-federation/local-service.js";
import { type PocFederation, readPocFederation } from "./poc-federation.js";

/** Which services a command is about; an empty `only` means all. */
export interface ServiceSelection {
  readonly only: readonly string[];
  readonly except: readonly string[];
}

/**
 * The federation of a POC workspace.
 *
 * @throws FlareError `poc/not-prepared`.
 */
export async function preparedFederation(folder: string): Promise<PocFederation> {
  const federation = await readPocFederation(folder);
  if (federation === undefined) throw new FlareError("poc/not-prepared", `${folder} holds no federation.`, { facts: { folder } });
  return federation;
}

/**
 * The services that a selection names, server first.
 *
 * @throws FlareError `poc/unknown-service` with the nearest known name; `cli/invalid-arguments` where none is left.
 */
export function selectServices(federation: PocFederation, selection: ServiceSelection): readonly LocalService[] {
  const known = federation.services.map((service) => service.name);
  for (const name of [...selection.only, ...selection.except]) {
    if (known.includes(name)) continue;
    const near = nearestWord(name, known);
    throw new FlareError(
      "poc/unknown-service",
      `There is no service '${name}'${near === undefined ? "" : `; did you mean '${near}'?`}.`.replace("?.", "?"),
      {
        facts: { name, known },
      },
    );
  }
  const chosen = federation.services.filter(
    ({ name }) => (selection.only.length === 0 || selection.only.includes(name)) && !selection.except.includes(name),
  );
  if (chosen.length === 0) throw new FlareError("cli/invalid-arguments", "The options leave no service: all that they name are excluded.");
  return chosen;
}
