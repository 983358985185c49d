import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const flare = fileURLToPath(new URL("../../dist/flare.js", import.meta.url));
// Makes a terminal for a test; there is another program of that name elsewhere.
const hasScript = String(spawnSync("script", ["--version"]).stdout).includes("util-linux");
const isSkipped = !hasScript && process.env["FLARE_NO_SKIPS"] !== "1";

/** Answers the question of a command on a terminal of its own; gives the exit status and what was seen there. */
async function answered(key: string): Promise<{ readonly status: number | null; readonly seen: string }> {
  const command = `'${process.execPath}' '${flare}' job abort 3f0c9a52-6f0e-4e0a-9d2b-0f8f5a4a7b11`;
  const child = spawn("script", ["-qefc", command, "/dev/null"], {
    stdio: ["pipe", "pipe", "ignore"],
    env: { ...process.env, TERM: "xterm" },
  });
  let seen = "";
  child.stdout.on("data", (text: Buffer) => {
    const wasAsked = seen.includes("[y/N]");
    seen += text.toString();
    if (!wasAsked && seen.includes("[y/N]")) child.stdin.write(key);
  });
  const [status] = (await once(child, "close")) as [number | null];
  return { status, seen };
}

describe.skipIf(isSkipped)("a question at a terminal (Debian package bsdutils)", () => {
  it.each<[key: string, typed: string, status: number, words: string]>([
    ["no", "n\n", 4, "The job was not aborted."],
    ["Ctrl-D", "\u0004", 4, "The job was not aborted."],
    ["Ctrl-C", "\u0003", 130, "Ctrl-C: stopping in good order"],
  ])("is answered by %s", async (_key, typed, status, words) => {
    const answer = await answered(typed);
    expect(answer).toMatchObject({ status, seen: expect.stringContaining(words) as string });
  });
});
