import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openSqliteSiteStore } from "@flare-ts/runtime/store";
import { siteStoreCompliance } from "./site-store-compliance.js";

siteStoreCompliance("SQLite", async () => {
  const folder = await mkdtemp(join(tmpdir(), "flare-site-store-"));
  return {
    open: async () => openSqliteSiteStore({ path: join(folder, "site.sqlite") }),
    dispose: async () => rm(folder, { recursive: true, force: true }),
  };
});
