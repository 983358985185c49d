/** How an admin had a process end. */
export interface Ending {
  readonly how: "shutdown" | "restart";
  /** The admin's name. */
  readonly by: string;
}

/**
 * Exit status of a process that is to be started again at once. No error of the catalogue has it, so that whatever starts again what has
 * failed starts this again too, watch scripts of older kits included. (EX_TEMPFAIL of sysexits.h.)
 */
export const restartStatus = 75;

/** When what watches over a process starts it again: when it ends with another status than 0, or whenever it ends. */
export type Watch = "on-failure" | "always";

/** What the environment of a process says of who watches over it; `undefined`: nobody, or nobody knows. */
export function watchOf(environment: Readonly<Record<string, string | undefined>>): Watch | undefined {
  const text = environment["FLARE_WATCHED"];
  return text === "on-failure" || text === "always" ? text : undefined;
}
