import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { strippedFolderVariable, strippedName } from "../client/stripped-name.js";
import { load } from "../client/trainer-hooks.js";
import { stripTypes } from "./strip-types.js";

let root: string;
let custom: string;
let to: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "flare-strip-types-"));
  custom = join(root, "custom");
  to = join(root, "stripped");
  mkdirSync(join(custom, "parts"), { recursive: true });
  vi.stubEnv(strippedFolderVariable, to);
});

afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(root, { recursive: true, force: true });
});

const byNode = "as Node loads it";
const loaded = (name: string, format = "module-typescript") => load(pathToFileURL(join(custom, name)).href, { format }, () => byNode);

describe("scripts in TypeScript", () => {
  it("are loaded as they were stripped, with every line and column where it was", async () => {
    writeFileSync(join(custom, "train.ts"), "const step: number = 1;\nexport { step };\n");
    writeFileSync(join(custom, "parts", "step.mts"), "export interface Step { readonly by: number }\n");
    await stripTypes({ from: custom, to });
    expect(loaded("train.ts")).toEqual({ format: "module", source: "const step         = 1;\nexport { step };\n", shortCircuit: true });
    expect(loaded(join("parts", "step.mts"))).toMatchObject({ format: "module", source: expect.not.stringContaining("interface") });
  });

  it("are loaded by Node where they were changed since, are not modules, or have more than types", async () => {
    writeFileSync(join(custom, "train.ts"), "export const step: number = 1;\n");
    writeFileSync(join(custom, "kinds.ts"), "export enum Kind { one }\n");
    writeFileSync(join(custom, "broken.ts"), "export const = ;\n");
    await stripTypes({ from: custom, to });
    expect(readdirSync(to)).toEqual([strippedName(readFileSync(join(custom, "train.ts"), "utf8"))]);
    expect(loaded("train.ts", "commonjs-typescript")).toBe(byNode);
    writeFileSync(join(custom, "train.ts"), "export const step: number = 2;\n");
    for (const name of ["train.ts", "kinds.ts", "broken.ts", "none.ts"]) expect(loaded(name)).toBe(byNode);
  });
});
