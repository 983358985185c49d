import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ContentHash } from "@flare-ts/contracts";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { bringsCode } from "./brings-code.js";

const hash = "a".repeat(64) as ContentHash;
let folder = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "flare-brings-code-"));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

function configured(args: object): string {
  const executor = { path: "ClientAPIExecutor", args };
  return JSON.stringify({ format_version: 2, executors: [{ tasks: ["train"], executor }] });
}

async function ask(paths: readonly string[], config: string, isStored = true): Promise<boolean> {
  const path = join(folder, "config");
  writeFileSync(path, config);
  const manifest = { files: paths.map((name) => ({ path: name, size: 1, sha256: hash })) };
  return bringsCode({ manifest, app: "app", find: async () => (isStored ? { hash, size: 1, path } : undefined) });
}

describe("bringsCode", () => {
  const config = "app/config/config_fed_client.json";

  it("finds code in custom/, and in a command without custom/", async () => {
    expect(await ask([config, "app/custom/train.py"], configured({ task_script_path: "train.py" }))).toBe(true);
    expect(await ask([config], configured({ command: ["python3", "-c", "print()"] }))).toBe(true);
  });

  it("finds none in another app's custom/, nor in an app for the server", async () => {
    expect(await ask([config, "app2/custom/train.py"], configured({ task_script_path: "train.py" }))).toBe(false);
    expect(await ask(["app/config/config_fed_server.json"], "")).toBe(false);
  });

  it("does not take a configuration that it cannot read for one without code", async () => {
    await expect(ask([config], configured({ comand: "x" }))).rejects.toMatchObject({ code: "job/invalid" });
    await expect(ask([config], "", false)).rejects.toMatchObject({ code: "job/file-missing" });
  });
});
