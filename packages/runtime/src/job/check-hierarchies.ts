import { readFile } from "node:fs/promises";
import {
  FlareError,
  hierarchyFilesOf,
  limits,
  type Problem,
  type ReadDocument,
  type SiteHierarchy,
  sitesOfHierarchy,
} from "@flare-ts/contracts";
import type { AppConfigs } from "./check-apps.js";
import type { JobFolderFile } from "./job-folder.js";
import { inNoLevel, parseSiteHierarchy } from "./site-hierarchy-file.js";

export interface CheckHierarchiesInit {
  /** Sites that the job names; `undefined` where it is for all that there are, which are known when it starts. */
  readonly sites: readonly string[] | undefined;
  readonly configs: readonly AppConfigs[];
  readonly files: ReadonlyMap<string, JobFolderFile>;
}

/** Finds hierarchies of sites that are missing, wrong in themselves, or of other sites than the job's. */
export async function checkHierarchies({ sites, configs, files }: CheckHierarchiesInit): Promise<readonly Problem[]> {
  const problems: Problem[] = [];
  const checked = new Set<string>();
  for (const { app, server } of configs) {
    if (server === undefined) continue;
    for (const { index, path } of hierarchyFilesOf(server.value)) {
      const name = `${app.name}/${path}`;
      const file = files.get(name);
      const complain = (what: string): number =>
        problems.push(server.problemAt(["workflows", index, "args", "hierarchy_config"], `the hierarchy ${name} ${what}`));
      if (file === undefined) complain("does not exist");
      else if (file.size > limits.documentBytes) complain(`has ${file.size} bytes; ${limits.documentBytes} are allowed`);
      else if (!checked.has(name)) problems.push(...(await problemsIn(file, sites)));
      checked.add(name);
    }
  }
  return problems;
}

async function problemsIn({ absolutePath, path }: JobFolderFile, sites: readonly string[] | undefined): Promise<readonly Problem[]> {
  let document: ReadDocument<SiteHierarchy>;
  try {
    document = parseSiteHierarchy(await readFile(absolutePath, "utf8"), path);
  } catch (reason) {
    if (!(reason instanceof FlareError)) throw reason;
    return reason.problems;
  }
  if (sites === undefined) return [];
  const strangers = sitesOfHierarchy(document.value).filter(({ site }) => !sites.includes(site));
  return [
    ...strangers.map(({ site, path: place }) => document.problemAt(place, `'${site}' is not in deploy_map`)),
    ...[inNoLevel(document, sites, "deploy_map") ?? []].flat(),
  ];
}
