import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const folder = fileURLToPath(new URL("..", import.meta.url));
const candidates = [process.env["FLARE_PYTHON"] ?? "python3", "/usr/bin/python3"];

/** The first Python that has some modules. */
function pythonWith(modules: string): string | undefined {
  return candidates.find((python) => spawnSync(python, ["-c", `import ${modules}`]).status === 0);
}

/** Runs tests in their own language; gives what they print, which ends with OK. */
function runUnittest(python: string | undefined, module: string): string {
  const env = { ...process.env, PYTHONPATH: `${folder}src`, PYTHONDONTWRITEBYTECODE: "1" };
  const args = ["-W", "error::ResourceWarning", "-m", "unittest", module];
  return spawnSync(python ?? "", args, { cwd: `${folder}tests`, env, encoding: "utf8", timeout: 60_000 }).stderr;
}

const numpy = pythonWith("numpy");
const torch = pythonWith("numpy, torch");

describe("flare_client passes its tests", () => {
  it.skipIf(numpy === undefined)("with NumPy (Debian package python3-numpy)", () => {
    // The tests of arrays of ml_dtypes are left out where it is not installed.
    expect(runUnittest(numpy, "test_safetensors")).toMatch(/\nOK( \(skipped=1\))?\n$/);
    expect(runUnittest(numpy, "test_result")).toMatch(/\nOK\n$/);
    expect(runUnittest(numpy, "test_statistics")).toMatch(/\nOK\n$/);
    expect(runUnittest(numpy, "test_decorators")).toMatch(/\nOK\n$/);
    expect(runUnittest(numpy, "test_session")).toMatch(/\nOK\n$/);
    // The tests of PyTorch's helper are left out where it is not installed.
    expect(runUnittest(numpy, "test_scaffold")).toMatch(/\nOK( \(skipped=5\))?\n$/);
  });

  it.skipIf(numpy === undefined)("with NumPy (Debian package python3-numpy), of processes that scripts start, and of full disks", () => {
    expect(runUnittest(numpy, "test_processes")).toMatch(/\nOK\n$/);
    expect(runUnittest(numpy, "test_room")).toMatch(/\nOK\n$/);
  });

  it.skipIf(numpy === undefined)("with NumPy (Debian package python3-numpy), of what they say of their progress", () => {
    expect(runUnittest(numpy, "test_progress")).toMatch(/\nOK\n$/);
  });

  it.skipIf(numpy === undefined)("with NumPy (Debian package python3-numpy), of jobs, recipes, what runs them, and admins", () => {
    expect(runUnittest(numpy, "test_job")).toMatch(/\nOK\n$/);
    expect(runUnittest(numpy, "test_recipes")).toMatch(/\nOK\n$/);
    expect(runUnittest(numpy, "test_fedstats")).toMatch(/\nOK\n$/);
    expect(runUnittest(numpy, "test_psi")).toMatch(/\nOK\n$/);
    expect(runUnittest(numpy, "test_secret_signs")).toMatch(/\nOK\n$/);
    expect(runUnittest(numpy, "test_environments")).toMatch(/\nOK\n$/);
    expect(runUnittest(numpy, "test_admin")).toMatch(/\nOK\n$/);
  });

  it.skipIf(torch === undefined)("with PyTorch (Debian package python3-torch)", () => {
    expect(runUnittest(torch, "test_torch")).toMatch(/\nOK\n$/);
    expect(runUnittest(torch, "test_job_torch")).toMatch(/\nOK\n$/);
    expect(runUnittest(torch, "test_scaffold")).toMatch(/\nOK\n$/);
  });
});
