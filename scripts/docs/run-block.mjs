import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import process from "node:process";
import { root } from "../bootstrap/run-command.mjs";

/**
 * Runs the commands of a page in order, in a copy of the repository's files with a home folder of its own, as a reader would
 * who follows the page from top to bottom. Returns what went wrong, or `undefined`.
 */
export function runPage(blocks) {
  const folder = mkdtempSync(join(tmpdir(), "flare-docs-"));
  try {
    const copy = join(folder, "flare-ts");
    copyRepository(copy);
    mkdirSync(join(folder, "home"));
    const script = ["set -euo pipefail", ...blocks.flatMap((block) => [`echo '# line ${block.line}'`, ...block.lines])].join("\n");
    const result = spawnSync("bash", ["-c", script], {
      cwd: copy,
      encoding: "utf8",
      timeout: 600_000,
      env: {
        ...process.env,
        HOME: join(folder, "home"),
        PATH: [join(root, "node_modules", ".bin"), process.env.PATH].join(delimiter),
        NO_COLOR: "1",
      },
    });
    return result.status === 0 ? undefined : `status ${result.status ?? result.signal}\n${result.stdout}${result.stderr}`;
  } finally {
    stopDaemons(folder);
    rmSync(folder, { recursive: true, force: true });
  }
}

function copyRepository(target) {
  const list = spawnSync("git", ["ls-files", "--cached", "--others", "--exclude-standard"], { cwd: root, encoding: "utf8" });
  if (list.status !== 0) throw new Error("git ls-files failed; the pages are checked in a git checkout");
  for (const name of list.stdout.split("\n").filter((line) => line !== "")) {
    mkdirSync(dirname(join(target, name)), { recursive: true });
    cpSync(join(root, name), join(target, name), { recursive: true, force: true });
  }
  symlinkSync(join(root, "node_modules"), join(target, "node_modules"));
}

/** A page that stops in the middle must not leave a federation running. */
function stopDaemons(folder) {
  spawnSync(
    "bash",
    [
      "-c",
      `grep -rlZ . --include=daemon_pid.fl --include=pid.fl '${folder}' 2>/dev/null | xargs -0 -r -n1 dirname | sort -u | while read -r kit; do flare server stop "$kit"; done`,
    ],
    {
      env: { ...process.env, PATH: [join(root, "node_modules", ".bin"), process.env.PATH].join(delimiter) },
    },
  );
}
