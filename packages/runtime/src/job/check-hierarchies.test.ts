import { describe, expect, it } from "vitest";
import {
  client,
  clientFile,
  jobFolder,
  meta,
  problemsOf,
  refusalOf,
  server,
  serverFile,
  type WrongJob,
} from "./job-folder.test-support.js";

jobFolder();

const levelsFile = "app/config/levels.json";
const asking = server
  .replace("nvflare.app_common.workflows.fedavg.FedAvg", "HierarchicalStatisticsController")
  .replace(`"num_rounds": 3`, `"statistic_configs": { "count": {} }`)
  .replace(`"initial_model": "models/initial.safetensors"`, `"hierarchy_config": "levels.json"`);
const base = {
  "meta.json": meta.replace(`["@ALL"]`, `["server", "site-1", "site-2", "site-3"]`),
  [serverFile]: asking,
  [clientFile]: client.replace(`"train"`, `"fed_stats"`),
  "app/custom/train.mjs": "",
};
const levels = (...hospitals: readonly string[]): string =>
  `{\n  "countries": [\n    { "Name": "north", "hospitals": ["site-1"] },\n    { "Name": "south",\n      "hospitals": [${hospitals.map((site) => `\n"${site}"`).join(",")}] }\n  ]\n}`;

describe("readJobFolder, of statistics by a hierarchy of sites,", () => {
  it("accepts one that all sites of the job are in", async () => {
    expect(await problemsOf({ ...base, [levelsFile]: levels("site-2", "site-3") })).toMatchObject({ code: "accepted" });
  });

  it("leaves to the start of a job for all sites that there are whether one is in no level", async () => {
    expect(await problemsOf({ ...base, "meta.json": meta, [levelsFile]: levels("site-9") })).toMatchObject({ code: "accepted" });
  });

  const wrongJobs: readonly WrongJob[] = [
    ["no file", {}, serverFile, 9, /the hierarchy app\/config\/levels\.json does not exist/],
    ["a site in no level", { [levelsFile]: levels("site-3") }, levelsFile, 2, /^'site-2' of deploy_map is in no level; put it into one$/],
    [
      "a site that the job does not go to",
      { [levelsFile]: levels("site-2", "site-3", "site-4") },
      levelsFile,
      8,
      /^'site-4' is not in deploy_map$/,
    ],
    [
      "a site twice",
      { [levelsFile]: levels("site-2", "site-3", "site-1") },
      levelsFile,
      8,
      /^the site 'site-1' is in the hierarchy twice$/,
    ],
    ["a level without sites", { [levelsFile]: levels() }, levelsFile, 5, /^is a level without sites$/],
    ["text that is no JSON", { [levelsFile]: levels("site-2").slice(0, -4) }, levelsFile, 7, /./],
    ["a file too large", { [levelsFile]: " ".repeat(2 ** 20 + 1) }, serverFile, 9, /has 1048577 bytes; 1048576 are allowed/],
  ];

  it.each(wrongJobs)("refuses %s, with file and line", async (_, files, file, line, message) => {
    const { code, problem } = await refusalOf({ ...base, ...files }, { file, message });
    expect(code).toBe("job/invalid");
    expect(problem).toMatchObject({ file, line });
  });

  it("tells one mistake once, though two workflows name the file", async () => {
    const twice = asking.replace(
      "  ],",
      `, { "id": "b", "path": "HierarchicalStatisticsController",\n"args": { "statistic_configs": { "sum": {} }, "hierarchy_config": "levels.json" } }\n  ],`,
    );
    const { problems } = await problemsOf({ ...base, [serverFile]: twice, [levelsFile]: levels("site-3") });
    expect(problems.map(({ file }) => file)).toEqual([levelsFile]);
  });
});
