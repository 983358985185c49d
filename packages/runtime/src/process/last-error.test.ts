import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { lastError } from "./last-error.js";

let kit: string;
beforeEach(async () => {
  kit = await mkdtemp(join(tmpdir(), "flare-last-error-"));
});
afterEach(() => rm(kit, { recursive: true }));

const told = `error transfer/cannot-listen: Port 8002 is taken.
  some detail of it
What to do: Free the port.
Read more: docs/errors.md#transfercannot-listen
`;

describe("the error that a background process ended with", () => {
  it.each<[what: string, log: string, error: object | undefined]>([
    ["is read from the end of its log", `a line\n${told}`, { code: "transfer/cannot-listen", message: "Port 8002 is taken." }],
    [
      "is the last of several",
      `error kit/expired: old\nRead more: x\n${told}`,
      { code: "transfer/cannot-listen", message: "Port 8002 is taken." },
    ],
    [
      "is found behind a long log",
      `${"a line\n".repeat(100_000)}${told}`,
      { code: "transfer/cannot-listen", message: "Port 8002 is taken." },
    ],
    ["is none where something came after it", `${told}Server localhost listens on port 8002, process 1.\n`, undefined],
    ["is none where it was told to stop", "error internal/aborted: The site was stopped.\nWhat to do: Start it again.\n", undefined],
    ["is none where the log tells of none", "The server has stopped.\n", undefined],
  ])("%s", async (_what, log, error) => {
    await writeFile(join(kit, "log.txt"), log);
    expect(lastError(kit)).toEqual(error);
  });

  it("is none where there is no log", () => {
    expect(lastError(kit)).toBeUndefined();
  });
});
