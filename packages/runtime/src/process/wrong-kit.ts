import { FlareError } from "@flare-ts/contracts/errors";
import type { Kit } from "@flare-ts/provision/kit";

/** The error for a kit of another kind than the one that is wanted. */
export function wrongKit({ dir, type }: Pick<Kit, "dir" | "type">, wanted: Kit["type"]): FlareError {
  return new FlareError("kit/wrong-type", `${dir} is the kit of ${withArticle(type)}, not of ${withArticle(wanted)}.`, {
    facts: { dir, type },
  });
}

function withArticle(type: Kit["type"]): string {
  return `${type === "admin" ? "an" : "a"} ${type}`;
}
