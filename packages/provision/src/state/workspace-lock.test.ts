import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { temporaryFolder } from "../../test/temporary-folder.js";
import { lockWorkspace } from "./workspace-lock.js";

it("a lock that cannot be written fails for that, and not for what cannot be removed then", async () => {
  const folder = await temporaryFolder();
  const noFolder = join(folder.dir, "file");
  await writeFile(noFolder, "");
  await expect(lockWorkspace(noFolder)).rejects.toMatchObject({ syscall: "open", code: "ENOTDIR" });
  await folder.remove();
});
