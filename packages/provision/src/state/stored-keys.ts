import { readTextIfPresent } from "../kit/read-if-present.js";
import type { CaKey } from "./key-vault.js";
import { caStatePath, statePath } from "./project-state.js";

/** How a workspace keeps its private keys so far. */
export type StoredKeys = "none" | "clear" | "sealed";

/** How private keys are kept, or what says so once it is known how the workspace keeps them so far; it may ask a person. */
export type CaKeySource = CaKey | ((stored: StoredKeys) => Promise<CaKey>);

/** Finds out how private keys are kept; asks only when it must. */
export async function resolveCaKey(source: CaKeySource, projectDir: string): Promise<CaKey> {
  return typeof source === "function" ? await source(await findStoredKeys(projectDir)) : source;
}

async function findStoredKeys(projectDir: string): Promise<StoredKeys> {
  const texts = await Promise.all([statePath(projectDir), caStatePath(projectDir)].map(async (path) => await readTextIfPresent(path)));
  if (texts.every((text) => text === undefined)) return "none";
  return texts.some((text) => text?.includes('"sealed:v1:') === true) ? "sealed" : "clear";
}
