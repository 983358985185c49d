import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { TransferFolder } from "./transfer-folder.js";

it("archives on their way are few at once, and those of one person fewer, so that nobody keeps everybody out", async () => {
  const dataFolder = mkdtempSync(join(tmpdir(), "flare-transfer-"));
  onTestFinished(() => rmSync(dataFolder, { recursive: true, force: true }));
  const transfers = await TransferFolder.open({ dataFolder });
  const slow = [await transfers.take("slow"), await transfers.take("slow"), await transfers.take("slow")];
  await expect(transfers.take("slow")).rejects.toMatchObject({ code: "dashboard/busy", message: expect.stringContaining("of yours") });
  for (const who of ["a", "b", "c", "d", "e"]) await transfers.take(who);
  await expect(transfers.take("f")).rejects.toMatchObject({ code: "dashboard/busy", message: expect.stringContaining("at once") });
  await slow[0]?.remove();
  await slow[0]?.remove();
  await transfers.take("slow");
  await expect(transfers.take("slow")).rejects.toMatchObject({ code: "dashboard/busy" });
  expect(readdirSync(join(dataFolder, "transfer"))).toHaveLength(8);
});
