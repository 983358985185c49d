import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { encodeSafetensors } from "./encode-safetensors.js";
import { writeSafetensors } from "./write-safetensors.js";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "flare-write-"));
});
afterEach(() => rm(folder, { recursive: true }));

const specs = [{ name: "w", dtype: "U8", shape: [4] }] as const;

describe("writeSafetensors", () => {
  it("writes the same bytes as encodeSafetensors, however the chunks are cut, and says their hash", async () => {
    const path = join(folder, "out.safetensors");
    async function* chunks(): AsyncGenerator<Uint8Array> {
      yield Uint8Array.of(1);
      yield new Uint8Array(0);
      yield Uint8Array.of(2, 3, 4);
    }
    const written = await writeSafetensors(path, specs, chunks(), { metadata: { a: "b" } });
    const bytes = await readFile(path);
    expect(
      Buffer.compare(bytes, encodeSafetensors([["w", { dtype: "U8", shape: [4], data: Uint8Array.of(1, 2, 3, 4) }]], { a: "b" })),
    ).toBe(0);
    expect(written).toEqual({ bytes: bytes.byteLength, sha256: createHash("sha256").update(bytes).digest("hex") });
    expect(await readdir(folder)).toEqual(["out.safetensors"]);
  });

  it("writes over a part that is there, whose bytes are gone then", async () => {
    const path = join(folder, "out.safetensors");
    await writeFile(`${path}.part`, Buffer.alloc(1000, 7));
    const { bytes } = await writeSafetensors(path, specs, [Uint8Array.of(1, 2, 3, 4)]);
    const found = await readFile(path);
    expect(found.byteLength).toBe(bytes);
    expect(found.equals(encodeSafetensors([["w", { dtype: "U8", shape: [4], data: Uint8Array.of(1, 2, 3, 4) }]]))).toBe(true);
    expect(await readdir(folder)).toEqual(["out.safetensors"]);
  });

  it("takes the place of no folder and of no device, also where it might", async () => {
    const [device, other] = [join(folder, "device"), join(folder, "folder")];
    await symlink("/dev/null", device);
    await mkdir(other);
    for (const path of [device, other]) {
      await expect(writeSafetensors(path, specs, [Uint8Array.of(1, 2, 3, 4)])).rejects.toMatchObject({
        code: "file/unwritable",
        message: `${path} is there already and is not a file.`,
      });
    }
    expect((await stat(device)).isCharacterDevice()).toBe(true);
    expect((await readdir(folder)).sort()).toEqual(["device", "folder"]);
  });

  it.each([
    ["more", [1, 2, 3, 4, 5]],
    ["fewer", [1, 2, 3]],
  ])("leaves no file when there are %s bytes than the tensors take", async (_what, bytes) => {
    await expect(writeSafetensors(join(folder, "out"), specs, [Uint8Array.from(bytes)])).rejects.toMatchObject({
      code: "aggregate/tensor-invalid",
    });
    expect(await readdir(folder)).toEqual([]);
  });

  it("leaves no file when it is aborted, or when the chunks fail, whose error it passes on", async () => {
    const stop = new AbortController();
    function* aborting(): Generator<Uint8Array> {
      yield Uint8Array.of(1, 2);
      stop.abort();
      yield Uint8Array.of(3, 4);
    }
    await expect(writeSafetensors(join(folder, "out"), specs, aborting(), { signal: stop.signal })).rejects.toMatchObject({
      code: "internal/aborted",
    });
    function* failing(): Generator<Uint8Array> {
      yield Uint8Array.of(1, 2);
      throw new TypeError("broken");
    }
    await expect(writeSafetensors(join(folder, "out"), specs, failing())).rejects.toThrow("broken");
    expect(await readdir(folder)).toEqual([]);
  });

  it("names the file that cannot be written", async () => {
    await expect(writeSafetensors(join(folder, "none", "out"), specs, [])).rejects.toMatchObject({
      code: "file/unwritable",
      facts: { reason: "ENOENT" },
    });
  });
});
