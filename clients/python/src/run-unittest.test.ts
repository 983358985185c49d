import { execFile, spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";

const folder = fileURLToPath(new URL("..", import.meta.url));

/** The Python of the operator's choice, else the first that has NumPy, one with PyTorch before others. */
function findPython(): string | undefined {
  const candidates = [process.env["FLARE_PYTHON"] ?? "python3", "/usr/bin/python3"];
  const has = (python: string, modules: string): boolean => spawnSync(python, ["-c", `import ${modules}`]).status === 0;
  return candidates.find((python) => has(python, "numpy, torch")) ?? candidates.find((python) => has(python, "numpy"));
}

/** Runs the tests of the package's own language and gives a line for each. */
async function runUnittest(python: string): Promise<{ readonly lines: readonly RegExpMatchArray[]; readonly output: string }> {
  const env = { ...process.env, PYTHONPATH: `${folder}src`, PYTHONDONTWRITEBYTECODE: "1" };
  const args = ["-W", "error::ResourceWarning", "-m", "unittest", "discover", "-v", "-s", "tests"];
  const { stderr } = await promisify(execFile)(python, args, { cwd: folder, env, timeout: 120_000 }).catch(
    (failed: { stderr: string }) => failed,
  );
  return { lines: [...stderr.matchAll(/^(test_\w+) \(([\w.]+)\)[^\n]* \.\.\. (ok|ERROR|FAIL|skipped .*)$/gm)], output: stderr };
}

const python = findPython();

describe.skipIf(python === undefined)("flare_client under Python with NumPy (Debian package python3-numpy)", async () => {
  if (python === undefined) return;
  const { lines, output } = await runUnittest(python);

  it("runs its tests to the end", () => {
    expect(output).toMatch(/^Ran \d+ tests/m);
    expect(Number(/^Ran (\d+) tests/m.exec(output)?.[1])).toBe(lines.length);
    expect(output).toMatch(/^OK/m);
  });

  for (const [, name = "", place = "", outcome = ""] of lines) {
    const title = `${place.split(".").slice(0, 2).join(".")}: ${name.replace(/^test_/, "").replaceAll("_", " ")}`;
    if (outcome.startsWith("skipped")) it.skip(`${title}: ${outcome}`);
    else it(title, () => expect(outcome, output).toBe("ok"));
  }
});
