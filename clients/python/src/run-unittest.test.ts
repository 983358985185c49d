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
  return spawnSync(python ?? "", args, { cwd: `${folder}tests`, env, encoding: "utf8", timeout: 200_000 }).stderr;
}

const numpy = pythonWith("numpy");
const torch = pythonWith("numpy, torch");

/** Modules of tests that need NumPy alone, and how many of them leave themselves out where more is wanted that is not installed. */
const withNumpy: readonly { readonly module: string; readonly leftOut?: number }[] = [
  // The tests of arrays of ml_dtypes.
  { module: "test_safetensors", leftOut: 1 },
  { module: "test_result" },
  { module: "test_statistics" },
  { module: "test_decorators" },
  { module: "test_session" },
  // The tests of PyTorch's helper; where it is installed, all are run together below.
  ...(torch === undefined ? [{ module: "test_scaffold", leftOut: 5 }] : []),
  { module: "test_processes" },
  { module: "test_room" },
  { module: "test_progress" },
  { module: "test_job" },
  { module: "test_recipes" },
  { module: "test_fedstats" },
  { module: "test_psi" },
  { module: "test_secret_signs" },
  { module: "test_environments" },
  { module: "test_admin" },
];

describe("flare_client passes its tests", () => {
  it.skipIf(numpy === undefined).each(withNumpy)("with NumPy (Debian package python3-numpy), $module", ({ module, leftOut }) => {
    const ends = leftOut === undefined ? /\nOK\n$/ : new RegExp(`\\nOK( \\(skipped=${leftOut}\\))?\\n$`);
    expect(runUnittest(numpy, module)).toMatch(ends);
  });

  it.skipIf(torch === undefined).each(["test_torch", "test_job_torch", "test_scaffold"])(
    "with PyTorch (Debian package python3-torch), %s",
    (module) => {
      expect(runUnittest(torch, module)).toMatch(/\nOK\n$/);
    },
  );
});
