import { mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  client,
  clientFile,
  executorArg,
  goodJob,
  jobFolder,
  meta,
  problemsOf,
  refusalOf,
  server,
  serverFile,
  splitJob,
  type WrongJob,
  workflowArg,
  write,
} from "./job-folder.test-support.js";
import { readJobFolder } from "./read-job-folder.js";

const places = jobFolder();

describe("readJobFolder", () => {
  it("returns a job with its apps and the hash of every file", async () => {
    await write(goodJob);
    const job = await readJobFolder(places.folder);
    expect(job.name).toBe("breast-cancer");
    expect(job.folderName).toBe("my_job");
    expect(job.apps).toEqual([{ name: "app", runsOnServer: true, runsOnSites: true, bringsCode: true }]);
    expect(job.files.map(({ path }) => path)).toEqual(Object.keys(goodJob).sort());
    expect(job.files.find(({ path }) => path === "app/custom/train.mjs")).toMatchObject({
      size: 0,
      sha256: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    });
    expect(job.meta).toMatchObject({ deployMap: { app: "@ALL" }, minClients: 2, mandatoryClients: [] });
    expect(job.warnings).toEqual([]);
  });

  it("reads YAML, short names of classes, {sites: …} and several apps", async () => {
    await write({
      ...splitJob,
      "meta.json": undefined,
      "meta.yml":
        "name: j\ndeploy_map:\n  srv: { sites: [server] }\n  hospital: { targets: [site-1, site-2] }\nmandatory_clients: [site-2]\n",
      "srv/config/config_fed_server.json": server.replace("nvflare.app_common.workflows.fedavg.FedAvg", "FedAvg"),
    });
    const job = await readJobFolder(places.folder);
    expect(job.apps.map(({ name, runsOnServer, runsOnSites }) => [name, runsOnServer, runsOnSites])).toEqual([
      ["srv", true, false],
      ["hospital", false, true],
    ]);
  });

  it("counts a command as code that the submitter brings, with or without custom/", async () => {
    await write({ ...splitJob, "hospital/custom/train.mjs": undefined });
    await write({
      "hospital/config/config_fed_client.json": client.replace(/"task_script_path".*"--lr 0.1"/, `"command": ["python3", "-c", "print()"]`),
    });
    const job = await readJobFolder(places.folder);
    expect(job.apps.map(({ name, bringsCode }) => [name, bringsCode])).toEqual([
      ["srv", false],
      ["hospital", true],
    ]);
  });

  it("accepts a link to a file of the job as that file", async () => {
    await write(goodJob);
    await symlink("train.mjs", join(places.folder, "app/custom/again.mjs"));
    const job = await readJobFolder(places.folder);
    expect(job.files.map(({ path }) => path)).toContain("app/custom/again.mjs");
  });

  it("accepts what FLARE needs and we do not, with a warning that names the line", async () => {
    await write({
      ...goodJob,
      "meta.json": meta.replace(`"resource_spec": {}`, `"custom_props": { "a": 1 },\n  "stats_pool_config": { "save_pools": ["*"] }`),
      "app/config/config_fed_client.json": client.replace(`"components": []`, `"get_task_timeout": 600`),
    });
    const job = await readJobFolder(places.folder);
    expect(job.meta.customProps).toEqual({ a: 1 });
    expect(job.warnings).toMatchObject([
      { file: "meta.json", line: 6 },
      { file: "app/config/config_fed_client.json", line: 12 },
    ]);
  });

  const wrongJobs: readonly WrongJob[] = [
    ["no meta.json", { "meta.json": undefined }, "meta.json", undefined, /missing/],
    ["JSON that ends too early", { "meta.json": '{\n  "name": "j",\n' }, "meta.json", 3, /./],
    [
      "an unknown key in meta.json",
      { "meta.json": meta.replace("min_clients", "min_client") },
      "meta.json",
      4,
      /did you mean 'min_clients'/,
    ],
    [
      "no name",
      { "meta.json": meta.replace(`"name"`, `"custom_props": {}, "mandatory_clients": [], "namee"`) },
      "meta.json",
      2,
      /did you mean 'name'/,
    ],
    ["a name with a path", { "meta.json": meta.replace("breast-cancer", "../j") }, "meta.json", 2, /letters/],
    ["a deploy map without the server", { "meta.json": meta.replace("@ALL", "site-1") }, "meta.json", 3, /no app goes to 'server'/],
    [
      "a site in two apps",
      { "meta.json": meta.replace(`["@ALL"]`, `["server", "site-1"],\n    "app2": ["site-1"]`) },
      "meta.json",
      4,
      /'site-1' is in 'app' already/,
    ],
    [
      "two apps of which one goes everywhere",
      { "meta.json": meta.replace(`["@ALL"]`, `["@ALL"], "app2": ["site-1"]`) },
      "meta.json",
      3,
      /no other app/,
    ],
    ["an app folder that is not there", { "meta.json": meta.replace(`"app"`, `"application"`) }, "meta.json", 3, /no folder 'application'/],
    ["an app that leaves the job", { "meta.json": meta.replace(`"app"`, `"../app"`) }, "meta.json", 3, /not the name of an app/],
    ["more min_clients than sites", { "meta.json": meta.replace(`["@ALL"]`, `["server", "site-1"]`) }, "meta.json", 4, /min_clients is 2/],
    ["min_clients that is no number", { "meta.json": meta.replace(": 2", `: "two"`) }, "meta.json", 4, /number/],
    [
      "a mandatory site outside the deploy map",
      {
        "meta.json": meta
          .replace(`["@ALL"]`, `["server", "site-1", "site-2"],\n"z": ["site-3"]`)
          .replace(`"min_clients": 2`, `"mandatory_clients": ["site-9"]`),
      },
      "meta.json",
      5,
      /'site-9' is not in deploy_map/,
    ],
    [
      "resources that nobody would honour",
      { "meta.json": meta.replace(`"resource_spec": {}`, `"resource_spec": { "site-1": { "num_of_gpu": 1 } }`) },
      "meta.json",
      5,
      /num_of_gpu.*num_of_gpus/,
    ],
    [
      "a launcher that nobody would honour",
      { "meta.json": meta.replace(`"resource_spec": {}`, `"launcher_spec": { "default": { "docker": { "image": "x" } } }`) },
      "meta.json",
      5,
      /not supported yet/,
    ],
    [
      "a privacy scope that no site can have",
      { "meta.json": meta.replace(`"resource_spec": {}`, `"scope": "my private one"`) },
      "meta.json",
      5,
      /letters, digits/,
    ],
    ["no configuration for the server", { [serverFile]: undefined }, "meta.json", 3, /config_fed_server/],
    ["no configuration for the sites", { [clientFile]: undefined }, "meta.json", 3, /config_fed_client/],
    [
      "HOCON",
      { [serverFile]: undefined, "app/config/config_fed_server.conf": "" },
      "app/config/config_fed_server.conf",
      undefined,
      /HOCON/,
    ],
    [
      "the same configuration twice",
      { "app/config/config_fed_server.yml": "" },
      "app/config/config_fed_server.yml",
      undefined,
      /stands beside/,
    ],
    ["another format version", { [serverFile]: server.replace("2,", "1,") }, serverFile, 2, /must be 2/],
    ["no format version", { [serverFile]: server.replace(`"format_version": 2,`, "") }, serverFile, 1, /must be 2/],
    [
      "components",
      { [serverFile]: server.replace(`"components": []`, `"components": [{ "id": "p", "path": "x", "args": {} }]`) },
      serverFile,
      13,
      /component 'x' is not supported yet; supported: JsonStatsFileWriter/,
    ],
    [
      "filters",
      {
        [serverFile]: server.replace(
          `"task_result_filters": []`,
          `"task_result_filters": [{ "tasks": ["train"], "filters": [{ "path": "nvflare.app_common.filters.ExcludeVars" }] }]`,
        ),
      },
      serverFile,
      15,
      /'nvflare.app_common.filters.ExcludeVars' is not supported yet; supported: ModelDequantizer/,
    ],
    [
      "a misspelt executor",
      { [clientFile]: client.replace("executor.ClientAPIExecutor", "executor.ClientApiExecuter") },
      clientFile,
      7,
      /did you mean 'ClientAPIExecutor'/,
    ],
    ["an executor that takes another task only", { [clientFile]: client.replace(`["train"]`, `["validate"]`) }, clientFile, 3, /'train'/],
    ["a script that is not there", { "app/custom/train.mjs": undefined }, clientFile, 8, /no file app\/custom\/train.mjs/],
    ["a script outside custom", { [clientFile]: client.replace("train.mjs", "../../x") }, clientFile, 8, /'\.\.'/],
    ["script and command together", { [clientFile]: executorArg(`"command": "python3 train.py"`) }, clientFile, 8, /not both/],
    ["a command with an open quote", { [clientFile]: executorArg(`"command": "python3 'train.py"`) }, clientFile, 8, /quote/],
    [
      "an execution mode that is not built",
      { [clientFile]: executorArg(`"execution_mode": "in_process"`) },
      clientFile,
      8,
      /a process of its own/,
    ],
    ["a path that two machines read in two ways", { "app/custom/a:b": "" }, "app/custom/a:b", undefined, /colon/],
    ["names that differ in case only", { "app/custom/Train.mjs": "" }, "app/custom/train.mjs", undefined, /case/],
  ];

  it.each(wrongJobs)("refuses %s, with file and line", async (_what, files, file, line, message) => {
    const { code, problem } = await refusalOf(files, { file, message });
    expect({ code, problem }).toMatchObject({ code: "job/invalid", problem: { file } });
    expect(problem?.line).toBe(line);
  });

  it("refuses links that leave the folder, lead nowhere, or stand for a folder", async () => {
    await write(goodJob);
    await writeFile(join(places.root, "secret"), "");
    await symlink(join(places.root, "secret"), join(places.folder, "app/custom/a"));
    await symlink("nowhere", join(places.folder, "app/custom/b"));
    await symlink("../config", join(places.folder, "app/custom/c"));
    const { problems } = await problemsOf({});
    expect(problems.map((problem) => problem.file).toSorted((a, b) => (String(a) < String(b) ? -1 : 1))).toEqual([
      "app/custom/a",
      "app/custom/b",
      "app/custom/c",
    ]);
  });

  it.skipIf(process.platform !== "linux")("refuses names that are not UTF-8, which no other machine could read", async () => {
    await write(goodJob);
    const beside = (name: string): Buffer => Buffer.concat([Buffer.from(join(places.folder, "app/custom/", name)), Buffer.of(0xff)]);
    await writeFile(beside("file"), "");
    await mkdir(beside("folder"));
    await symlink(beside("file"), join(places.folder, "app/custom/link"));
    const { problems } = await problemsOf({});
    expect(problems.toSorted((a, b) => (String(a.file) < String(b.file) ? -1 : 1))).toEqual([
      { file: "app/custom/file\ufffd", message: "has a name that is not UTF-8" },
      { file: "app/custom/folder\ufffd", message: "has a name that is not UTF-8" },
      { file: "app/custom/link", message: "is a link to something that does not exist" },
    ]);
  });

  it("names all mistakes of all files at once", async () => {
    const { problems } = await problemsOf({
      ...goodJob,
      "meta.json": meta.replace("min_clients", "min_client"),
      [serverFile]: workflowArg(`"num_round": 3`),
      [clientFile]: executorArg(`"launch_onse": true`),
    });
    expect(problems.map((problem) => [problem.file, problem.line])).toEqual([
      ["meta.json", 4],
      [serverFile, 8],
      [clientFile, 8],
    ]);
  });

  it("says so when there is no such folder", async () => {
    await expect(readJobFolder(places.folder)).rejects.toMatchObject({
      code: "file/not-found",
      message: `There is no job folder ${places.folder}.`,
    });
    await writeFile(places.folder, "");
    await expect(readJobFolder(places.folder)).rejects.toMatchObject({
      message: `${places.folder} is a file; a job is a folder with a meta.json.`,
    });
  });
});

describe("a job whose updates the server cannot read", () => {
  const masked = (more = "") => meta.replace(/"min_clients": \d+/, `"min_clients": 3, "secure_aggregation": { "min_sites": 3${more} }`);

  it("is one of FedAvg with a mean", async () => {
    await write({ ...goodJob, "meta.json": masked() });
    const job = await readJobFolder(places.folder);
    expect(job.meta.secureAggregation).toEqual({ minSites: 3, maxWeight: 1_000_000, stepTimeoutMs: 300_000 });
  });

  it.each<[string, string, string, RegExp]>([
    ["too few sites for a sum", masked().replace(`"min_sites": 3`, `"min_sites": 1`), server, /must be at least 2/],
    [
      "a start with fewer sites",
      masked().replace(`"min_clients": 3`, `"min_clients": 2`),
      server,
      /min_clients is 2, but sums are of 3 sites/,
    ],
    ["a key that nobody knows", masked(`, "max_weigth": 5`), server, /max_weight/],
    ["a strategy that looks at single updates", masked(), workflowArg(`"strategy": "median"`), /median looks at updates one by one/],
    ["weights that nobody knows", masked(), workflowArg(`"aggregation_weights": { "site-1": 2 }`), /weights of updates are masked/],
    ["rounds of too few", masked(), workflowArg(`"num_clients": 2`), /num_clients is 2, but sums are of 3 sites/],
    ["tensors that stay as they are", masked(), workflowArg(`"exclude_vars": "x"`), /exclude_vars|ExcludeVars/],
  ])("is refused with %s", async (_, metaText, serverText, message) => {
    const { problems } = await problemsOf({ ...goodJob, "meta.json": metaText, [serverFile]: serverText });
    expect(problems.map((problem) => problem.message).join("\n")).toMatch(message);
  });
});
