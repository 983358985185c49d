import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FileModelStore } from "@flare-ts/runtime/store";
import { modelStoreCompliance } from "./model-store-compliance.js";

modelStoreCompliance("FileModelStore", async () => {
  const root = await mkdtemp(join(tmpdir(), "flare-model-store-"));
  return {
    open: async () => FileModelStore.open({ root }),
    dispose: async () => rm(root, { recursive: true, force: true }),
  };
});
