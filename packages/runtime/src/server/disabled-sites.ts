import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { FlareError, readDocument, Turns } from "@flare-ts/contracts";
import { z } from "zod";
import { diskError, errnoOf } from "../store/file-model-store-disk.js";

const entrySchema = z.strictObject({
  /** Organisation, where the server knew it. */
  org: z.string().nullable(),
  /** The admin who disabled it. */
  by: z.string(),
  at_ms: z.number(),
  reason: z.string(),
});
const documentSchema = z.strictObject({ format_version: z.literal("1.0"), sites: z.record(z.string(), entrySchema) });

/** A site that the server keeps out until somebody lets it in again. */
export type DisabledSite = z.infer<typeof entrySchema>;

export interface DisabledSitesComponents {
  /** Replaces a file as a whole. */
  readonly write: (file: string, text: string) => Promise<void>;
}

const fileName = "disabled_clients.json";

/** The sites that are kept out; durable. */
export class DisabledSites {
  readonly #write: DisabledSitesComponents["write"];
  readonly #file: string;
  readonly #turns = new Turns();
  #sites: ReadonlyMap<string, DisabledSite>;

  private constructor({ write }: DisabledSitesComponents, file: string, sites: ReadonlyMap<string, DisabledSite>) {
    this.#write = write;
    this.#file = file;
    this.#sites = sites;
  }

  /**
   * @param init - `workspace`: folder of the server, where they are kept
   * @throws FlareError `kit/local-invalid` for a file that was damaged, `file/unreadable`
   */
  static async open(components: DisabledSitesComponents, { workspace }: { readonly workspace: string }): Promise<DisabledSites> {
    const file = join(workspace, fileName);
    return new DisabledSites(components, file, new Map(Object.entries(await readSites(file))));
  }

  get(site: string): DisabledSite | undefined {
    return this.#sites.get(site);
  }

  all(): ReadonlyMap<string, DisabledSite> {
    return this.#sites;
  }

  /** Keeps a site out; one that is already stays as it was. In force, and safe from a crash, when it resolves. @returns whether it is new */
  disable(site: string, entry: DisabledSite): Promise<boolean> {
    return this.#change((sites) => !sites.has(site) && sites.set(site, entry).size > 0);
  }

  /** Lets a site in again. In force, and safe from a crash, when it resolves. @returns whether it was kept out */
  enable(site: string): Promise<boolean> {
    return this.#change((sites) => sites.delete(site));
  }

  #change(change: (sites: Map<string, DisabledSite>) => boolean): Promise<boolean> {
    return this.#turns.take(async () => {
      const sites = new Map(this.#sites);
      if (!change(sites)) return false;
      const document = { format_version: "1.0", sites: Object.fromEntries(sites) } satisfies z.infer<typeof documentSchema>;
      await this.#write(this.#file, `${JSON.stringify(document, undefined, 2)}\n`).catch((error: unknown) => {
        throw diskError(error, this.#file);
      });
      this.#sites = sites;
      return true;
    });
  }
}

async function readSites(file: string): Promise<Readonly<Record<string, DisabledSite>>> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return {};
    throw new FlareError("file/unreadable", `Cannot read ${file}.`, { facts: { file }, cause: error });
  }
  return readDocument({ text, file, schema: documentSchema, code: "kit/local-invalid" }).value.sites;
}
