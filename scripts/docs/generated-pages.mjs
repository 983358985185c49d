import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { root } from "../bootstrap/run-command.mjs";
import { areaTitles } from "./area-titles.mjs";
import { errorsPage } from "./errors-page.mjs";
import { limitsPage } from "./limits-page.mjs";

/** The pages that are made from code, each by its path. */
export async function generatedPages() {
  const contracts = await import(pathToFileURL(join(root, "packages", "contracts", "dist", "index.js")).href);
  return new Map([
    [join("docs", "errors.md"), errorsPage(contracts.errorCatalogue, areaTitles)],
    [join("docs", "limits.md"), limitsPage(contracts.limits)],
  ]);
}
