import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { identifyProcess } from "../process/process-identity.js";
import { clearAttachFolder, profilePath } from "./attach-folder.js";

// Elsewhere a process cannot be told from a later one with its number.
describe.runIf(process.platform === "linux")("clearAttachFolder", () => {
  it("takes away what a process has left whose number another one has by now, and nothing of one that lives", async () => {
    const folder = await mkdtemp(join(tmpdir(), "flare-profiles-"));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const leave = async (attachId: string, listening: object): Promise<void> => {
      const channel = join(folder, `${attachId}.sock`);
      await writeFile(channel, "");
      const profile = { execution_mode: "attach", attach_id: attachId, channel: `unix:${channel}`, ...listening };
      await writeFile(profilePath(folder, attachId), JSON.stringify(profile));
    };
    await leave("lives", identifyProcess(process.pid) ?? {});
    await leave("gone", { pid: process.pid, started: "1" });
    await leave("of-an-earlier-version", { pid: process.pid });
    await clearAttachFolder(folder);
    expect((await readdir(folder)).toSorted()).toEqual(["lives.json", "lives.sock"]);
  });
});
