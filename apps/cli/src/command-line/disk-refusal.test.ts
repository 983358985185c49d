import { writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { FlareError } from "@flare-ts/contracts";
import { expect, it } from "vitest";
import { diskRefusal } from "./disk-refusal.js";

const failureOf = (code: string, syscall: string, path?: string): Error =>
  Object.assign(new Error(`${code}: it is refused, ${syscall}`), { code, syscall, path });

it("says of a full disk that it is full, and takes it for no fault of this software", async () => {
  const full = await writeFile("/dev/full", "x").catch((error: unknown) => error);
  const refusal = { code: "file/unwritable", message: "Cannot write to the disk: no space left on device." };
  expect(diskRefusal(full)).toMatchObject(refusal);
  expect(diskRefusal(FlareError.from(full))).toMatchObject(refusal);
});

it.each([
  ["EROFS", "open", "/kit/log.txt", "file/unwritable", "Cannot write /kit/log.txt: it is refused."],
  ["EDQUOT", "write", undefined, "file/unwritable", "Cannot write to the disk: it is refused."],
  ["EACCES", "mkdir", "/kit/models", "file/unwritable", "Cannot write /kit/models: it is refused."],
  ["EACCES", "open", "/nowhere/in/a/folder", "file/unwritable", "Cannot write /nowhere/in/a/folder: it is refused."],
  ["EACCES", "scandir", "/kit/jobs", "file/unreadable", "Cannot read /kit/jobs: it is refused."],
  ["ENOENT", "uv_cwd", undefined, "file/not-found", "The folder that this command runs in is there no more; change to another one."],
  ["ERR_SYSTEM_ERROR", "uv_os_homedir", undefined, "file/not-found", "This user has no home folder; set HOME to the folder to take."],
] as const)("tells %s of %s %s as %s", (code, syscall, path, known, message) => {
  expect(diskRefusal(failureOf(code, syscall, path))).toMatchObject({ code: known, message });
});

it("names the place that a copy has no room in, not what is copied", () => {
  const full = Object.assign(failureOf("ENOSPC", "copyfile", "/store/model"), { dest: "/full/model" });
  expect(diskRefusal(full)).toMatchObject({ message: "Cannot write /full/model: it is refused.", facts: { path: "/full/model" } });
});

it("leaves alone what is not about files, or has no known remedy", async () => {
  const server = createServer();
  const refused = await new Promise((resolve) => server.on("error", resolve).listen({ path: "/nowhere/at/all.sock" }));
  const others = [refused, failureOf("EPERM", "kill"), failureOf("ENOENT", "open", "/kit"), new Error("ENOSPC"), "text", undefined];
  expect(others.map((one) => diskRefusal(one))).toEqual(others.map(() => undefined));
});
