import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openSqliteServerStore } from "@flare-ts/runtime/store";
import { serverStoreCompliance } from "./server-store-compliance.js";

serverStoreCompliance("SQLite", async () => {
  const folder = await mkdtemp(join(tmpdir(), "flare-server-store-"));
  return {
    open: async () => openSqliteServerStore({ path: join(folder, "server.sqlite") }),
    dispose: async () => rm(folder, { recursive: true, force: true }),
  };
});
