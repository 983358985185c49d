import { copyFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isAllowed } from "@flare-ts/contracts";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { errorOf } from "../../test/error-of.js";
import { provisionExample } from "../../test/provision-example.js";
import { temporaryFolder } from "../../test/temporary-folder.js";
import type { KitType } from "./kit.js";
import { readKit } from "./read-kit.js";
import { readAuthorizationPolicy, readLocalResources, readLogConfig, readPrivacyPolicy } from "./read-local.js";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let dirs: Readonly<Record<Exclude<KitType, "relay">, string>>;

beforeAll(async () => {
  folder = await temporaryFolder();
  const { prodDir } = await provisionExample(folder.dir, { 13: "    capacity: { num_of_gpus: 2, mem_per_gpu_in_GiB: 16 }" });
  dirs = { server: join(prodDir, "server1.example.org"), client: join(prodDir, "hospital-a"), admin: join(prodDir, "admin@example.org") };
});
afterAll(async () => {
  await folder.remove();
});
afterEach(async () => {
  for (const name of ["resources", "authorization", "log_config", "privacy"])
    await rm(join(dirs.client, "local", `${name}.json`), { force: true });
});

const client = async (name: string, text: string): Promise<string> => {
  const file = join(dirs.client, "local", name);
  await writeFile(file, text);
  return file;
};

describe("local settings", () => {
  it("start with the defaults of the kit", async () => {
    expect(await readLocalResources(await readKit(dirs.server))).toEqual({
      type: "server",
      maxClients: 100,
      maxJobs: 4,
      stallMs: 600_000,
    });
    const kit = await readKit(dirs.client);
    expect(await readLocalResources(kit)).toEqual({
      type: "client",
      gpus: 2,
      memPerGpuGiB: 16,
      allowsLogStreaming: false,
      datasets: {},
      stallMs: 600_000,
      secrets: {},
      attachFolder: undefined,
    });
    expect(await readLogConfig(kit)).toEqual({ level: "info" });
    const policy = await readAuthorizationPolicy(kit);
    const user = { name: "admin@example.org", org: "consortium", role: "lead" };
    expect(isAllowed(policy, { right: "submit_job", user, site: { org: kit.org } })).toBe(true);
    expect(isAllowed(policy, { right: "shutdown", user, site: { org: kit.org } })).toBe(false);
  });

  it("have no privacy policy until the sample gets its name; at a server it is nobody's", async () => {
    expect(await readPrivacyPolicy(await readKit(dirs.client))).toBeUndefined();
    await copyFile(join(dirs.client, "local", "privacy.json.sample"), join(dirs.client, "local", "privacy.json"));
    expect(await readPrivacyPolicy(await readKit(dirs.client))).toEqual({
      defaultScope: "private",
      scopes: [
        { name: "public", resultFilters: [] },
        {
          name: "private",
          resultFilters: [
            { kind: "AllowMetrics", metrics: ["accuracy", "loss"] },
            { kind: "PercentilePrivacy", percentile: 10, gamma: 0.01 },
          ],
        },
      ],
    });
    const file = join(dirs.server, "local", "privacy.json");
    await writeFile(file, "{}");
    const server = await readKit(dirs.server);
    await rm(file);
    expect(server.local).toMatchObject({ privacy: undefined, withoutEffect: [file] });
    expect(await readPrivacyPolicy(server)).toBeUndefined();
  });

  it("are those of the file without a suffix where there is one", async () => {
    await client(
      "resources.json",
      '{ "format_version": 2, "components": [], "allow_log_streaming": true, "datasets": { "wdbc": "/data/wdbc.csv" } }',
    );
    await client("log_config.json", '{ "level": "debug" }');
    await client("authorization.json", '{ "format_version": "1.0", "permissions": {} }');
    const kit = await readKit(dirs.client);
    expect(await readLocalResources(kit)).toMatchObject({
      type: "client",
      gpus: 0,
      memPerGpuGiB: 0,
      allowsLogStreaming: true,
      datasets: { wdbc: "/data/wdbc.csv" },
    });
    expect(await readLogConfig(kit)).toEqual({ level: "debug" });
    expect((await readAuthorizationPolicy(kit)).permissions).toEqual({});
  });

  it("say what the participant may hold, and how updates leave a site", async () => {
    const text = '{ "format_version": 2, "components": [], "max_memory": "512MiB", "max_disk": 1000000, "update_form": "bfloat16" }';
    await client("resources.json", text);
    const budget = { maxMemoryBytes: 536_870_912, maxDiskBytes: 1_000_000, updateForm: "bfloat16" };
    expect(await readLocalResources(await readKit(dirs.client))).toMatchObject(budget);
  });

  it("say how much of the machine jobs may have that ask for some", async () => {
    const text = '{ "format_version": 2, "components": [{ "id": "resource_manager", "args": { "num_of_cpus": 6, "memory": "24Gi" } }] }';
    await client("resources.json", text);
    const offered = { gpus: 0, memPerGpuGiB: 0, cpus: 6, memoryBytes: 24 * 2 ** 30 };
    expect(await readLocalResources(await readKit(dirs.client))).toMatchObject(offered);
  });

  it("do not exist in an admin's kit", async () => {
    expect((await errorOf(readLocalResources(await readKit(dirs.admin)))).code).toBe("kit/wrong-type");
    expect((await errorOf(readAuthorizationPolicy(await readKit(dirs.admin)))).code).toBe("kit/file-missing");
  });

  const mistakes: readonly [string, string, number, string][] = [
    [
      "resources.json",
      '{\n  "format_version": 2,\n  "components": [],\n  "dataset": {}\n}',
      4,
      "unknown key 'dataset'; did you mean 'datasets'?",
    ],
    [
      "resources.json",
      '{\n  "format_version": 2,\n  "components": [],\n  "datasets": {\n    "a b": "/x"\n  }\n}',
      5,
      "may hold letters, digits",
    ],
    [
      "resources.json",
      '{\n  "format_version": 2,\n  "components": [],\n  "datasets": {\n    "scans": "data/scans"\n  }\n}',
      5,
      "must be a whole path, such as /srv/data",
    ],
    [
      "resources.json",
      '{\n  "format_version": 2,\n  "components": [{ "id": "resource_manager", "args": {\n    "num_of_cpu": 4 } }]\n}',
      4,
      "unknown key 'num_of_cpu'; did you mean 'num_of_cpus'?",
    ],
    [
      "resources.json",
      '{\n  "format_version": 2,\n  "components": [{ "id": "resource_manager", "args": {\n    "memory": "much" } }]\n}',
      4,
      "must be a size such as 512MiB or 10GB",
    ],
    ["log_config.json", '{\n  "level": "loud"\n}', 2, "must be one of error, warn, info, debug"],
    [
      "authorization.json",
      '{\n  "format_version": "1.0",\n  "permissions": {\n    "lead": {\n      "submit_jobs": "any"\n    }\n  }\n}',
      5,
      "unknown right 'submit_jobs'; did you mean 'submit_job'?",
    ],
    [
      "authorization.json",
      '{\n  "format_version": "1.0",\n  "permissions": {\n    "lead": {\n      "submit_job": "sometimes"\n    }\n  }\n}',
      5,
      "must be any, none",
    ],
  ];

  it.each(mistakes)("in %s with a mistake are refused with the line: %#", async (name, text, line, message) => {
    const file = await client(name, text);
    const kit = await readKit(dirs.client);
    const reading = {
      "resources.json": readLocalResources,
      "log_config.json": readLogConfig,
      "authorization.json": readAuthorizationPolicy,
    }[name];
    const error = await errorOf(reading?.(kit) ?? Promise.resolve());
    expect(error.code).toBe("kit/local-invalid");
    expect(error.problems.map((problem) => problem.message).join(" ")).toContain(message);
    expect(error.problems[0]).toMatchObject({ file, line });
  });
});
