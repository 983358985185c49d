import { cp, readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { compileMeta, FlareError, jobMetaSchema, readDocument } from "@flare-ts/contracts";
import type { JobTemplate } from "../contract/jobs.js";

/** Where the templates are that come with this package: copies of the repository's examples, made when it is built. */
export const builtInTemplates: string = join(
  dirname(createRequire(import.meta.url).resolve("@flare-ts/dashboard-api/package.json")),
  "dist",
  "templates",
);

interface KnownTemplate {
  /** Also the name of its folder. */
  readonly id: string;
  readonly title: string;
  readonly description: string;
  readonly needs: string;
}

const known: readonly KnownTemplate[] = [
  {
    id: "breast-cancer",
    title: "Breast cancer, in TypeScript",
    description: "A small network learns to tell malignant from benign tumours from measurements of cell nuclei (WDBC).",
    needs: "A data set named wdbc at each site, as local/resources.json offers it.",
  },
  {
    id: "numpy-hello",
    title: "Hello NumPy, in Python",
    description: "Each site adds a little to a matrix: the smallest job that shows a federation working.",
    needs: "Python with numpy at each site.",
  },
  {
    id: "digits-pytorch",
    title: "Handwritten digits, in PyTorch",
    description: "A small convolutional network learns to read digits that are spread unevenly over the sites.",
    needs: "Python with torch at each site, and a data set named digits.",
  },
  {
    id: "slow-site",
    title: "Nobody waits for a slow site, in TypeScript",
    description: "Sites fit a line by FedBuff, and one takes ten times as long as the others.",
    needs: "Nothing: sites make their data for themselves.",
  },
  {
    id: "psi",
    title: "Private set intersection",
    description: "Each site learns which of its patients all others have too, and nobody anything of the rest.",
    needs:
      "A data set named patients at each site, a CSV file with a column patient_id; a site with a privacy policy lets AllowPsi through.",
  },
];

/** What of a template is changed for one submission. */
export interface TemplateChanges {
  readonly name?: string | undefined;
  readonly rounds?: number | undefined;
  readonly minSites?: number | undefined;
}

/** The jobs that come with the dashboard. */
export class JobTemplates {
  readonly #folder: string;

  constructor(init: { readonly folder: string }) {
    this.#folder = init.folder;
  }

  /** Those that are there; a package that was built without examples has none. */
  async list(): Promise<readonly JobTemplate[]> {
    const found = await Promise.all(known.map(async (template) => this.#describe(template).catch(() => undefined)));
    return found.filter((template) => template !== undefined);
  }

  /** Writes a template's job into a folder, with the changes. @throws FlareError `dashboard/not-found` */
  async write(id: string, changes: TemplateChanges, dir: string): Promise<string> {
    const template = known.find((one) => one.id === id);
    if (template === undefined || (await this.#describe(template).catch(() => undefined)) === undefined) {
      throw new FlareError("dashboard/not-found", `There is no template '${id.slice(0, 63)}'.`);
    }
    const target = join(dir, template.id);
    if (changes.rounds !== undefined && roundsIn(await this.#configOf(template)) === null) {
      throw new FlareError("dashboard/invalid-request", `The job of the template '${template.id}' has no number of rounds to choose.`);
    }
    await cp(this.#folderOf(template), target, { recursive: true });
    const { name, rounds, minSites } = changes;
    await change(join(target, "meta.json"), (meta) => {
      if (name !== undefined) meta["name"] = name;
      if (minSites !== undefined) meta["min_clients"] = minSites;
    });
    await change(join(target, "app", "config", "config_fed_server.json"), (config) => {
      if (rounds !== undefined) workflowArgs(config)["num_rounds"] = rounds;
    });
    return target;
  }

  async #describe(template: KnownTemplate): Promise<JobTemplate> {
    const folder = this.#folderOf(template);
    const file = join(folder, "meta.json");
    const { value } = readDocument({ text: await readFile(file, "utf8"), file, schema: jobMetaSchema, code: "job/invalid" });
    const { name, minClients } = compileMeta(value);
    return { ...template, name, rounds: roundsIn(await this.#configOf(template)), minSites: minClients ?? 1 };
  }

  async #configOf(template: KnownTemplate): Promise<Document> {
    return JSON.parse(await readFile(join(this.#folderOf(template), "app", "config", "config_fed_server.json"), "utf8")) as Document;
  }

  #folderOf({ id }: KnownTemplate): string {
    return join(this.#folder, id, "job");
  }
}

type Document = Record<string, unknown>;

async function change(file: string, edit: (document: Document) => void): Promise<void> {
  const document = JSON.parse(await readFile(file, "utf8")) as Document;
  edit(document);
  await writeFile(file, `${JSON.stringify(document, undefined, 2)}\n`);
}

function workflowArgs(config: Document): Document {
  const [workflow] = config["workflows"] as readonly { readonly args?: Document }[];
  if (workflow === undefined) throw new TypeError("a template has one workflow");
  return workflow.args ?? {};
}

/** Rounds of a template's job; `null` where it has no number of them. */
function roundsIn(config: Document): number | null {
  const { num_rounds: rounds } = workflowArgs(config);
  return typeof rounds === "number" ? rounds : null;
}
