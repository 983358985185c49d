import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { probeInChild } from "./probe-in-child.js";

it("gives what the program answers", async () => {
  const program = "console.error('by the way'); answer({ doubled: argument.number * 2, name: argument.name });";
  expect(await probeInChild({ program, argument: { number: 21, name: `"'\`\n` } })).toEqual({
    kind: "answered",
    answer: { doubled: 42, name: `"'\`\n` },
    wrote: '"by the way"',
    log: "by the way\n",
  });
});

it("ends the process once it has answered, whatever else it waits for", async () => {
  expect(await probeInChild({ program: "setInterval(() => {}, 1000); answer(null);" })).toEqual({
    kind: "answered",
    answer: null,
    wrote: "",
    log: "",
  });
});

it.each([
  ["aborts", "process.abort();", /ended by SIGABRT/],
  ["is killed", "process.kill(process.pid, 'SIGKILL');", /ended by SIGKILL/],
  ["throws", "throw new Error('no such driver');", /status 1; it wrote ".*no such driver/],
  ["cannot be parsed", "if (", /status 1; it wrote ".*SyntaxError/],
  ["ends silently", "", /without an answer/],
  ["crashes on its way out", "process.on('exit', () => process.abort()); answer(1);", /ended by SIGABRT/],
])("is a reason when the program %s", async (_, program, reason) => {
  const outcome = await probeInChild({ program });
  expect(outcome).toMatchObject({ kind: "failed", isTimeout: false });
  expect(outcome.kind === "failed" ? outcome.reason : "").toMatch(reason);
});

it("ends a program that hangs, on its thread too", async () => {
  // How far it comes in that time is up to the machine.
  expect(await probeInChild({ program: "for (;;);", timeoutMs: 500 })).toEqual({
    kind: "failed",
    isTimeout: true,
    reason: "The probe failed: its process did not end within 500 ms.",
  });
});

it("quotes the last lines of the program, and no more", async () => {
  const outcome = await probeInChild({ program: "for (let i = 0; i < 10000; i++) console.error('line ' + i); process.exitCode = 3;" });
  expect(outcome).toEqual({
    kind: "failed",
    isTimeout: false,
    reason: String.raw`The probe failed: its process ended with status 3; it wrote "line 9997\nline 9998\nline 9999".`,
  });
});

it("stops when it is aborted", async () => {
  const stopping = new AbortController();
  const probing = probeInChild({ program: "setInterval(() => {}, 1000);", signal: stopping.signal });
  stopping.abort();
  await expect(probing).rejects.toMatchObject({ code: "internal/aborted" });
  await expect(probeInChild({ program: "answer(1);", signal: stopping.signal })).rejects.toMatchObject({ code: "internal/aborted" });
});

it("is a reason where Node's permission model denies processes", async () => {
  const entry = new URL("../../dist/index.js", import.meta.url).href;
  const program = `const { probeInChild } = await import(${JSON.stringify(entry)}); console.log((await probeInChild({ program: "" })).reason);`;
  const { stdout } = await promisify(execFile)(process.execPath, [
    "--permission",
    "--allow-fs-read=*",
    "--input-type=module",
    "--eval",
    program,
  ]);
  expect(stdout).toMatch(/^The probe failed: no process could be started: .*permission/is);
});
