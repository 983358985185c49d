import { spawn } from "node:child_process";
import { delimiter, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

/** Root folder of the repository. */
export const root = fileURLToPath(new URL("../..", import.meta.url));

/** The environment of everything that is run: the toolchain's own Node first, nobody is told about us. */
function toolEnvironment() {
  return {
    ...process.env,
    PATH: [join(root, "node_modules", ".bin"), process.env.PATH].join(delimiter),
    TURBO_TELEMETRY_DISABLED: "1",
    DO_NOT_TRACK: "1",
  };
}

/**
 * Runs a command of the repository and resolves with its exit status. A signal to this process is left to the command,
 * which gets it too and ends in good order.
 */
export function runCommand(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, stdio: options.stdio ?? "inherit", env: { ...toolEnvironment(), ...options.env } });
    // A terminal sends Ctrl-C to the whole group; SIGTERM comes to this process alone.
    const ignore = () => {};
    const forward = () => child.kill("SIGTERM");
    process.on("SIGINT", ignore);
    process.on("SIGTERM", forward);
    const release = () => {
      process.off("SIGINT", ignore);
      process.off("SIGTERM", forward);
    };
    child.once("error", (error) => {
      release();
      reject(new Error(`Cannot run ${command}: ${error.message}`));
    });
    child.once("exit", (code, signal) => {
      release();
      resolve(code ?? (signal === "SIGINT" ? 130 : 143));
    });
  });
}
