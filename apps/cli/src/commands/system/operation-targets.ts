import { FlareError } from "@flare-ts/contracts";
import type { OperationTarget, SiteStatus } from "@flare-ts/runtime/admin";

/** Whom a command is for. */
export interface Targets {
  readonly target: OperationTarget;
  /** Names of sites; `undefined`: all that are connected. */
  readonly sites: readonly string[] | undefined;
}

/** Words that name kinds of participants, FLARE's. */
const targetWords = ["server", "client", "all"] as const;

/** Reads `server|client|all [site…]`. @throws FlareError `cli/invalid-arguments` */
export function targetsOf([word = "all", ...names]: readonly string[]): Targets {
  const target = targetWords.find((one) => one === word);
  if (target === undefined)
    throw new FlareError(
      "cli/invalid-arguments",
      `'${word.slice(0, 120)}' is none of server, client and all; names of sites come after 'client'.`,
    );
  if (names.length > 0 && target !== "client")
    throw new FlareError("cli/invalid-arguments", `Names of sites come after 'client', not after '${target}'.`);
  return { target, sites: names.length === 0 ? undefined : names };
}

/** Reads what `--site` has: `server`, `client`, `all`, or names of sites with commas between them, where `server` may be too. */
export function targetsOfSites(text: string): Targets {
  const names = text.split(",").map((name) => name.trim());
  const word = targetWords.find((one) => names.length === 1 && names[0] === one);
  if (word !== undefined) return { target: word, sites: undefined };
  const sites = names.filter((name) => name !== "server");
  if (sites.length === 0 || sites.includes("")) throw new FlareError("cli/invalid-arguments", "--site lacks a name.");
  return { target: sites.length === names.length ? "client" : "all", sites };
}

/** Of the sites that the server knows, those that are meant. @throws FlareError `runtime/site-unknown` */
export function chosenSites(known: readonly SiteStatus[], { target, sites }: Targets): readonly SiteStatus[] {
  if (target === "server") return [];
  const missing = sites?.find((name) => !known.some((site) => site.name === name));
  if (missing === undefined) return known.filter(({ name }) => sites?.includes(name) ?? true);
  throw new FlareError("runtime/site-unknown", `The server has not seen ${missing} since it started.`, { facts: { site: missing } });
}
