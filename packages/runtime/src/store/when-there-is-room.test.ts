import { tmpdir } from "node:os";
import { FlareError } from "@flare-ts/contracts/errors";
import { describe, expect, it } from "vitest";
import { waitForRoom, whenThereIsRoom } from "./when-there-is-room.js";

const reasons = [
  Object.assign(new Error("no space left"), { code: "ENOSPC" }),
  Object.assign(new Error("quota exceeded"), { code: "EDQUOT" }),
  new FlareError("transfer/disk-full", "full"),
  new FlareError("store/full", "full"),
];

it("a disk with room is not waited for", async () => {
  expect(await waitForRoom(tmpdir(), new AbortController().signal)).toBe(false);
});

describe("writing to a disk that is full", () => {
  it("goes on when there is room, and says once why it waited", async () => {
    const left = [...reasons];
    const told: unknown[] = [];
    const write = async (): Promise<string> => {
      const reason = left.shift();
      if (reason !== undefined) throw reason;
      return Promise.resolve("written");
    };
    expect(await whenThereIsRoom(write, { onFull: (error) => told.push(error) })).toBe("written");
    expect(told).toEqual([reasons[0]]);
  });

  it("is given up for any other reason, and when nobody wants it any more", async () => {
    const other = Object.assign(new Error("read-only"), { code: "EROFS" });
    await expect(whenThereIsRoom(() => Promise.reject(other))).rejects.toBe(other);
    const stop = new AbortController();
    const never = whenThereIsRoom(() => Promise.reject(reasons[0] as Error), { signal: stop.signal });
    stop.abort(new FlareError("internal/aborted", "over"));
    await expect(never).rejects.toMatchObject({ code: "internal/aborted" });
  });
});
