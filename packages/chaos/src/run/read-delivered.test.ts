import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { readDelivered } from "./read-delivered.js";

it("reads from a site's log what became of its updates, and passes over lines that a full disk has torn", async () => {
  const folder = await mkdtemp(join(tmpdir(), "flare-delivered-"));
  const line = (message: string, fields: object): string => JSON.stringify({ level: "info", message, job: "j", ...fields });
  const lines = [
    line("attached to server", {}),
    line("update delivered", { round: 0, outcome: "accepted" }),
    line("update delivered", { round: 1, outcome: "accepted" }).slice(0, 40),
    line("update delivered", { round: 2, outcome: "late" }),
    "",
  ];
  await writeFile(join(folder, "log.json"), lines.join("\n"));
  expect(await readDelivered("site-1", join(folder, "log.json"))).toEqual([
    { site: "site-1", round: 0, outcome: "accepted" },
    { site: "site-1", round: 2, outcome: "late" },
  ]);
  await rm(folder, { recursive: true });
});
