import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { clientApiExecutorClass } from "./client-api-executor.js";
import { cyclicClass } from "./cyclic.js";
import { fedAvgClass } from "./fed-avg.js";
import { fedBuffClass } from "./fed-buff.js";
import { crossSiteModelEvalClass } from "./model-evaluation.js";
import { dhPsiControllerClass } from "./psi.js";
import { psiExecutorClass } from "./psi-executor.js";
import { scaffoldClass } from "./scaffold.js";
import { hierarchicalStatisticsControllerClass, statisticsControllerClass } from "./statistics.js";
import { statisticsExecutorClass } from "./statistics-executor.js";

const page = readFileSync(new URL("../../../../docs/write-a-job.md", import.meta.url), "utf8");

/** Names in the first column of the first table after a heading. */
function documented(heading: string): readonly string[] {
  const section = page.slice(page.indexOf(`## ${heading}`));
  const rows = section
    .slice(0, section.indexOf("\n## ", 3))
    .split("\n")
    .filter((line) => line.startsWith("| `"));
  return rows.flatMap((row) => [...(row.split("|")[1] ?? "").matchAll(/`(\w+)`/g)].map((match) => match[1] ?? ""));
}

describe("docs/write-a-job.md", () => {
  it.each([
    ["config_fed_server.json: FedAvg", fedAvgClass.argNames],
    ["config_fed_server.json: FedBuff", fedBuffClass.argNames],
    ["config_fed_server.json: Scaffold", scaffoldClass.argNames],
    ["config_fed_server.json: Cyclic", cyclicClass.argNames],
    ["config_fed_server.json: CrossSiteModelEval", crossSiteModelEvalClass.argNames],
    ["config_fed_server.json: StatisticsController", statisticsControllerClass.argNames],
    ["config_fed_server.json: HierarchicalStatisticsController", hierarchicalStatisticsControllerClass.argNames],
    ["config_fed_client.json: ClientAPIExecutor", clientApiExecutorClass.argNames],
    ["config_fed_client.json: StatisticsExecutor", statisticsExecutorClass.argNames],
    ["config_fed_server.json: DhPSIController", dhPsiControllerClass.argNames],
    ["config_fed_client.json: PSIExecutor", psiExecutorClass.argNames],
  ])("lists every argument of %s, and no other", (heading, names) => {
    expect(documented(heading).toSorted()).toEqual([...names].toSorted());
  });
});
