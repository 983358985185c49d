import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { FlareError } from "@flare-ts/contracts";
import { expect, it, onTestFinished } from "vitest";
import { unpackJob } from "./unpack-job.js";

it("what is wrong with an uploaded archive is told without the folder in which the dashboard keeps it", async () => {
  const dir = mkdtempSync(join(tmpdir(), "flare-unpack-"));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  const reason: unknown = await unpackJob(Readable.from([Buffer.from("not a zip archive")]), dir).catch((error: unknown) => error);
  expect(reason).toBeInstanceOf(FlareError);
  const { message } = reason as FlareError;
  expect(message).toContain("job.zip");
  expect(message).not.toContain(dir);
});
