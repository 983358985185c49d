import { readFile } from "node:fs/promises";

/** What a site says that it was told when it had handed in an update. */
export interface DeliveredUpdate {
  readonly site: string;
  readonly round: number;
  readonly outcome: "accepted" | "duplicate" | "late";
}

/**
 * Reads from a site's log (`log.json`) which of its updates were acknowledged, and how. One that was acknowledged as the site died or its disk
 * was full may not be in it.
 */
export async function readDelivered(site: string, logFile: string): Promise<readonly DeliveredUpdate[]> {
  const lines = (await readFile(logFile, "utf8")).split("\n");
  return lines.flatMap((line) => {
    const entry = parsed(line);
    return entry?.message === "update delivered" ? [{ site, round: entry.round, outcome: entry.outcome }] : [];
  });
}

type LogLine = Pick<DeliveredUpdate, "round" | "outcome"> & { readonly message: string };

/** A full disk leaves lines that are torn. */
function parsed(line: string): LogLine | undefined {
  try {
    return JSON.parse(line) as LogLine;
  } catch {
    return undefined;
  }
}
