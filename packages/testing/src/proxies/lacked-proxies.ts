import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import process from "node:process";

/** Programs that stand between a site and its server in tests. */
export type ProxyProgram = "nginx" | "haproxy" | "tinyproxy";

const packagesOf: Readonly<Record<ProxyProgram, string>> = {
  nginx: "nginx libnginx-mod-stream",
  haproxy: "haproxy",
  tinyproxy: "tinyproxy",
};

/** Path of a program, or nothing where it is not installed. */
export function findProgram(name: string): string | undefined {
  // Debian keeps servers in sbin, which is on the PATH of root alone.
  const folders = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/local/sbin", "/usr/sbin"];
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

/**
 * Which of these programs this machine lacks, as the end of a test's name: it says which Debian packages to install. Empty when
 * all are there, and where nothing may be skipped, so that the test then fails instead.
 */
export function lackedProxies(...programs: readonly ProxyProgram[]): string {
  if (process.env["FLARE_NO_SKIPS"] === "1") return "";
  const missing = programs.filter((program) => findProgram(program) === undefined);
  return missing.length === 0 ? "" : ` (needs the Debian packages ${missing.map((program) => packagesOf[program]).join(" ")})`;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
