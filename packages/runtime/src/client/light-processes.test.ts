import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, it } from "vitest";

const built = (path: string): string => new URL(`../../dist/${path}`, import.meta.url).href;

/** Modules of Node that a process holds once it has loaded some of the built ones. */
async function loadedBy(...paths: readonly string[]): Promise<readonly string[]> {
  const script = `for (const url of ${JSON.stringify(paths.map(built))}) await import(url); console.log(JSON.stringify(process.moduleLoadList));`;
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", script]);
  return JSON.parse(stdout) as string[];
}

// A machine with fifty sites holds each of these fifty times: `crypto` is 1.6 MB.
it.each([
  ["a trainer", ["programs/client/trainer-register.js", "programs/client/index.js"]],
  [
    "a site's job process",
    ["job-process/site-job-tasks.js", "executor/client-api-executor.js", "logging/logger.js", "job-process/log-tail.js"],
  ],
])("%s holds no cryptography, threads or network security", async (_who, paths) => {
  const modules = await loadedBy(...paths);
  expect(modules).toContain("NativeModule net");
  for (const name of ["crypto", "tls", "http2", "worker_threads", "sqlite"]) expect(modules).not.toContain(`NativeModule ${name}`);
});
