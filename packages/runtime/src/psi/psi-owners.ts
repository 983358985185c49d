import { spawn } from "node:child_process";
import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { text } from "node:stream/consumers";
import { FlareError } from "@flare-ts/contracts/errors";
import type { PsiItems } from "@flare-ts/contracts/job";
import { readCsvColumn } from "./csv-column.js";
import type { PsiOwner } from "./site-psi.js";

/** What a program that takes the site's part starts with. */
export interface PsiProgram {
  readonly items: PsiItems;
  /** Folder of the site in the job's, where intersections are written. */
  readonly folder: string;
  /** The site's Python. */
  readonly python: string;
}

/** What puts identifiers in and takes the intersection, as a job's components say. */
export function psiOwner({ items, folder, python }: PsiProgram, datasets: Readonly<Record<string, string>>): PsiOwner {
  if (items.kind === "class") return classOwner(items, { folder, python });
  const { dataset, column, delimiter, outputPath } = items;
  return {
    loadItems: () => {
      const path = Object.hasOwn(datasets, dataset) ? datasets[dataset] : undefined;
      if (path === undefined) {
        throw new FlareError("client-api/dataset-missing", `The site offers no data set '${dataset}'.`, { facts: { dataset } });
      }
      return readCsvColumn({ path, dataset, column, delimiter });
    },
    saveIntersection: (found) => writePrivately(join(folder, outputPath), found),
  };
}

/** For the site's operator alone, there when it is complete. */
function writePrivately(path: string, lines: readonly string[]): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  writeFileSync(`${path}.part`, lines.map((line) => `${line}\n`).join(""), { mode: 0o600 });
  renameSync(`${path}.part`, path);
}

/** A class in Python has a process of its own, once to load and once to save, as nothing of it need be there in between. */
function classOwner(
  { made, writers }: Extract<PsiItems, { kind: "class" }>,
  { folder, python }: Pick<PsiProgram, "folder" | "python">,
): PsiOwner {
  const start = (verb: "load" | "save") =>
    spawn(python, ["-m", "flare_client", "psi", verb, made.path, JSON.stringify(made.args), JSON.stringify({ writers, folder })], {
      stdio: ["ignore", "inherit", "inherit", "pipe"],
    });
  const ended = async (child: ReturnType<typeof start>, verb: string): Promise<void> => {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    child.once("error", reject);
    child.once("close", (status) => {
      if (status === 0) resolve();
      else {
        const message = `flare-client psi ${verb} ${made.path} has ended with status ${status}; what it said is above.`;
        reject(new FlareError("client-api/trainer-died", message, { facts: { status } }));
      }
    });
    await promise;
  };
  return {
    loadItems: async () => {
      const child = start("load");
      const [lines] = await Promise.all([text(child.stdio[3] as Readable), ended(child, "load")]);
      return lines === "" ? [] : lines.slice(0, -1).split("\n");
    },
    saveIntersection: async (found) => {
      const child = start("save");
      const pipe = child.stdio[3] as Writable;
      // Who does not read it to its end says by its status what is wrong.
      pipe.on("error", () => undefined);
      pipe.end(found.map((line) => `${line}\n`).join(""));
      await ended(child, "save");
    },
  };
}
