import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { forgetShutdown, noteShutdown, readShutdown } from "./shutdown-note.js";

it("a workspace knows who had its process shut down until one runs there again; what cannot be read says nothing", async () => {
  const folder = await mkdtemp(join(tmpdir(), "flare-shutdown-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  expect(readShutdown(folder)).toBeUndefined();
  noteShutdown(folder, { by: "a@b.org", atMs: 5 });
  expect(readShutdown(folder)).toEqual({ by: "a@b.org", atMs: 5 });
  forgetShutdown(folder);
  expect(readShutdown(folder)).toBeUndefined();
  await writeFile(join(folder, "shutdown.fl"), '{"by":1}');
  expect(readShutdown(folder)).toBeUndefined();
  noteShutdown(join(folder, "nowhere"), { by: "a@b.org", atMs: 5 });
});
