import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { fileShapes, findLeftBehind, surplusFiles } from "./left-behind.js";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "flare-left-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe("what a federation has left", () => {
  it("is found: a process that works in its folder, a port that is listened on, a socket in its folder", async () => {
    const child = spawn("sleep", ["60"], { cwd: folder });
    const tcp = createServer().listen(0, "127.0.0.1");
    const unix = createServer().listen(join(folder, "socket"));
    await Promise.all([once(child, "spawn"), once(tcp, "listening"), once(unix, "listening")]);
    const { port } = tcp.address() as AddressInfo;
    const { processes, sockets } = findLeftBehind(folder, [port]);
    expect(processes).toEqual([`${child.pid} sleep 60 `]);
    expect(sockets).toEqual([`tcp port ${port}, state 0A`, join(folder, "socket")]);
    child.kill("SIGKILL");
    tcp.close();
    unix.close();
    await Promise.all([once(child, "exit"), once(tcp, "close"), once(unix, "close")]);
    expect(findLeftBehind(folder, [port])).toEqual({ processes: [], sockets: [] });
  });

  it("are files by shape: ids and hashes do not count, how many there are does, logs are none", async () => {
    const id = "0b0e7c1c-5f0e-4a52-9a3f-5f5a4f4a7a11";
    const write = async (...path: readonly string[]): Promise<void> => {
      await mkdir(join(folder, ...path.slice(0, -1)), { recursive: true });
      await writeFile(join(folder, ...path), "");
    };
    await write("models", "objects", "ab", `ab${"0".repeat(62)}`);
    await write("models", "objects", "cd", `cd${"0".repeat(62)}`);
    await write("models", "partial", `${"1".repeat(64)}.offset`);
    await write(id, "log.txt");
    await write(id, "app", "train.ts");
    await write("log.json");
    await write("audit.log");
    const shapes = fileShapes(folder);
    expect(Object.fromEntries(shapes)).toEqual({
      "models/objects/<hash>": 2,
      "models/partial/<hash>.offset": 1,
      "<id>/app/train.ts": 1,
    });
    expect(surplusFiles(shapes, new Map([["models/objects/<hash>", 3]]))).toEqual(
      ["<id>/app/train.ts: 1 instead of 0", "models/partial/<hash>.offset: 1 instead of 0"].toSorted(
        (a, b) => [...shapes.keys()].indexOf(a.split(":")[0] ?? "") - [...shapes.keys()].indexOf(b.split(":")[0] ?? ""),
      ),
    );
  });
});
