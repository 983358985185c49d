import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type FlareFolder, flareFolder } from "../../flare-process.test-support.js";
import { recipes } from "./recipe-catalogue.js";

const source = fileURLToPath(new URL("../../../../../clients/python/src", import.meta.url));
const candidates = [process.env["FLARE_PYTHON"] ?? "python3", "/usr/bin/python3"];
const numpy = candidates.find((python) => spawnSync(python, ["-c", "import numpy"]).status === 0);

/** Prints what the Python client knows of each recipe: whether it is there under FLARE's name, and its arguments. */
const inspection = `
import importlib, inspect, json, sys
from flare_client.nvflare_names import install_nvflare_names
from flare_client import recipe as own
install_nvflare_names()
found = []
for entry in json.loads(sys.argv[1]):
    cls = getattr(own, entry["ownName"])
    same = getattr(importlib.import_module(entry["module"]), entry["className"]) is cls
    known = {}
    for one in cls.__mro__:
        if "__init__" not in vars(one) or one in (object, own.Recipe):
            continue
        for parameter in inspect.signature(one.__init__).parameters.values():
            if parameter.name != "self" and parameter.kind in (parameter.KEYWORD_ONLY, parameter.POSITIONAL_OR_KEYWORD):
                known.setdefault(parameter.name, parameter.default is parameter.empty)
    found.append({"same": same, "required": sorted(n for n, r in known.items() if r), "optional": sorted(n for n, r in known.items() if not r)})
print(json.dumps(found))
`;

describe("flare recipe", () => {
  let folder: FlareFolder;
  beforeAll(async () => {
    folder = await flareFolder();
  });
  afterAll(() => folder.remove());

  it("lists recipes, also by framework and algorithm", async () => {
    const { exitCode, stdout } = await folder.run("recipe", "list", "--framework", "numpy", "--algorithm", "fedavg");
    expect({ exitCode, names: [...stdout.matchAll(/^[a-z][\w-]+/gm)].flat() }).toEqual({ exitCode: 0, names: ["fedavg", "fedavg-numpy"] });
    expect(await folder.data("recipe", "list")).toHaveLength(recipes.length);
  });

  it.each([
    ["--framework", "pytorhc", "did you mean 'pytorch'?"],
    ["--algorithm", "xgboost", "there are evaluation, cyclic"],
  ])("refuses to list by %s %s, which none has", async (flag, value, hint) => {
    const refused = await folder.run("recipe", "list", flag, value);
    expect(refused).toMatchObject({ exitCode: 4, stderr: expect.stringContaining(hint) as string });
  });

  it("shows how one is used, and names the nearest for a name that none has", async () => {
    const { stdout } = await folder.run("recipe", "show", "fedopt_pt");
    expect(stdout).toContain("  from nvflare.app_opt.pt.recipes.fedopt import FedOptRecipe\n");
    expect(stdout).toContain("required: min_clients, train_script\n");
    const refused = await folder.run("recipe", "show", "fedavg-np");
    expect(refused).toMatchObject({ exitCode: 4, stderr: expect.stringContaining("did you mean 'fedavg-") as string });
  });

  it.skipIf(numpy === undefined)("knows what the Python client has, with NumPy (Debian package python3-numpy)", () => {
    const { stdout, stderr } = spawnSync(numpy ?? "", ["-c", inspection, JSON.stringify(recipes)], {
      env: { ...process.env, PYTHONPATH: source, PYTHONDONTWRITEBYTECODE: "1" },
      encoding: "utf8",
    });
    expect(stderr).toBe("");
    const expected = recipes.map(({ required, optional }) => ({
      same: true,
      required: required.toSorted(),
      optional: optional.toSorted(),
    }));
    expect(JSON.parse(stdout)).toEqual(expected);
  });
});
