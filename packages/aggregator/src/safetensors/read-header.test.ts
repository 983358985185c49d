import { spawnSync } from "node:child_process";
import { mkdtemp, open, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FlareError, limits } from "@flare-ts/contracts/errors";
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { decodeSafetensors, encodeSafetensors } from "./encode-safetensors.js";
import { parseSafetensorsHeader, readSafetensorsHeader } from "./read-header.js";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "flare-safetensors-"));
});
afterAll(() => rm(folder, { recursive: true }));

/** A file with any text as its header. */
function fileOf(header: string | Uint8Array, dataBytes = 0, claimedBytes?: bigint): Uint8Array<ArrayBuffer> {
  const text = typeof header === "string" ? new TextEncoder().encode(header) : header;
  const bytes = new Uint8Array(8 + text.byteLength + dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, claimedBytes ?? BigInt(text.byteLength), true);
  bytes.set(text, 8);
  return bytes;
}

/** The same verdict must come from memory and from a file. */
async function verdictOf(bytes: Uint8Array): Promise<FlareError> {
  const path = join(folder, "hostile.safetensors");
  await writeFile(path, bytes);
  const fromFile = await readSafetensorsHeader(path).then(
    () => new Error("accepted"),
    (error: unknown) => error,
  );
  let fromMemory: unknown = new Error("accepted");
  try {
    parseSafetensorsHeader(bytes, path);
  } catch (error) {
    fromMemory = error;
  }
  expect(fromFile).toBeInstanceOf(FlareError);
  expect((fromMemory as FlareError).message).toBe((fromFile as FlareError).message);
  return fromFile as FlareError;
}

const entry = (dtype: string, shape: string, offsets: string): string => `{"dtype":"${dtype}","shape":${shape},"data_offsets":${offsets}}`;
const one = (dtype: string, shape: string, offsets: string): string => `{"w":${entry(dtype, shape, offsets)}}`;

describe("a safetensors header", () => {
  it("is read from a path and from a handle that stays open", async () => {
    const path = join(folder, "good.safetensors");
    const bytes = encodeSafetensors([["w", { dtype: "F32", shape: [2, 3], data: new Float32Array(6) }]], { format: "pt" });
    await writeFile(path, bytes);
    const layout = await readSafetensorsHeader(path);
    expect(layout).toEqual({
      tensors: [{ name: "w", dtype: "F32", shape: [2, 3], byteOffset: 0, byteLength: 24 }],
      metadata: { format: "pt" },
      dataOffset: bytes.byteLength - 24,
      totalBytes: bytes.byteLength,
    });
    const handle = await open(path);
    expect(await readSafetensorsHeader(handle)).toEqual(layout);
    expect((await handle.stat()).size).toBe(bytes.byteLength);
    await handle.close();
  });

  it("may hold tensors in another order than the data, spaces, escapes, and an empty tensor between two", () => {
    const header = ` {"b" : ${entry("U8", "[ 2 ]", "[ 1 , 3 ]")}, "\\u00e9\\"" :${entry("U8", "[]", "[0,1]")},\n"e":${entry("F64", "[0,5]", "[1,1]")}}  `;
    const layout = parseSafetensorsHeader(fileOf(header.trimStart(), 3));
    expect(layout.tensors.map(({ name }) => name)).toEqual(['é"', "e", "b"]);
  });

  it("keeps names that objects treat specially", () => {
    const names = ["__proto__", "constructor", "1", "0", ""];
    const decoded = decodeSafetensors(encodeSafetensors(names.map((name) => [name, { dtype: "U8", shape: [], data: Uint8Array.of(7) }])));
    expect([...decoded.keys()]).toEqual(names);
  });

  it.each([
    ["an empty file", new Uint8Array(0), "truncated"],
    ["seven bytes", new Uint8Array(7), "truncated"],
    ["a header longer than the file", fileOf("{}", 0, 3n), "truncated"],
    ["a header beyond the limit and the file", fileOf("{}", 0, BigInt(limits.safetensorsHeaderBytes) + 1n), "header"],
    ["a header of 2^64 - 1 bytes", fileOf("{}", 0, 2n ** 64n - 1n), "header"],
    ["the beginning of a zip file, as torch.save writes one", Buffer.from("PK\u0003\u0004\0\0\b\b\0\0"), "header"],
    ["an empty header", fileOf(""), "header"],
    ["no object", fileOf("[]"), "header"],
    ["a space before the object", fileOf(" {}"), "header"],
    ["text after the object", fileOf("{}x"), "header"],
    ["an object that does not end", fileOf('{"w":'), "header"],
    ["a name that does not end", fileOf('{"w'), "header"],
    ["a name that ends in a backslash", fileOf('{"w\\'), "header"],
    ["broken UTF-8", fileOf(Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x3a)), "header"],
    ["half a surrogate pair", fileOf(`{"\\ud800":${entry("U8", "[0]", "[0,0]")}}`), "header"],
    ["deep nesting", fileOf(`{"w":${"[".repeat(100_000)}`), "header"],
    ["a duplicate name", fileOf(`{"w":${entry("U8", "[1]", "[0,1]")},"w":${entry("U8", "[1]", "[1,2]")}}`, 2), "header"],
    [
      "a duplicate name in other letters",
      fileOf(`{"w":${entry("U8", "[1]", "[0,1]")},"\\u0077":${entry("U8", "[1]", "[1,2]")}}`, 2),
      "header",
    ],
    ["a duplicate key", fileOf('{"w":{"dtype":"U8","dtype":"U8","shape":[0],"data_offsets":[0,0]}}'), "header"],
    ["an unknown key", fileOf('{"w":{"dtype":"U8","shape":[0],"data_offsets":[0,0],"x":[]}}'), "header"],
    ["a missing key", fileOf('{"w":{"dtype":"U8","shape":[0]}}'), "header"],
    ["one offset", fileOf(one("U8", "[0]", "[0]")), "header"],
    ["three offsets", fileOf(one("U8", "[0]", "[0,0,0]")), "limit"],
    ["metadata that is not text", fileOf('{"__metadata__":{"a":1}}'), "header"],
    ["metadata given twice", fileOf('{"__metadata__":{},"__metadata__":{}}'), "header"],
    ["a negative offset", fileOf(one("U8", "[1]", "[-1,0]")), "header"],
    ["a broken offset", fileOf(one("U8", "[1]", "[0.5,1.5]")), "header"],
    ["an offset with an exponent", fileOf(one("U8", "[10]", "[0,1e1]"), 10), "header"],
    ["an offset with a leading zero", fileOf(one("U8", "[1]", "[0,01]"), 1), "header"],
    ["an offset beyond 2^53", fileOf(one("U8", "[1]", "[0,99999999999999999999]")), "header"],
    ["65 dimensions", fileOf(one("U8", `[${Array(65).fill(1).join(",")}]`, "[0,1]"), 1), "limit"],
    ["an unknown type", fileOf(one("F8_E4M3", "[1]", "[0,1]"), 1), "dtype"],
    ["a type that is a name of objects", fileOf(one("constructor", "[1]", "[0,1]"), 1), "dtype"],
    ["a shape that overflows", fileOf(one("U8", "[9007199254740991,9007199254740991]", "[0,1]"), 1), "offsets"],
    ["bytes that overflow", fileOf(one("F64", "[9007199254740991]", "[0,1]"), 1), "offsets"],
    ["another length than the shape's", fileOf(one("F32", "[2]", "[0,4]"), 4), "offsets"],
    ["an end before its begin", fileOf(one("U8", "[0]", "[4,0]"), 4), "offsets"],
    ["a hole", fileOf(`{"a":${entry("U8", "[1]", "[0,1]")},"b":${entry("U8", "[1]", "[2,3]")}}`, 3), "offsets"],
    ["a hole at the start", fileOf(one("U8", "[1]", "[1,2]"), 2), "offsets"],
    ["an overlap", fileOf(`{"a":${entry("U8", "[2]", "[0,2]")},"b":${entry("U8", "[2]", "[1,3]")}}`, 3), "offsets"],
    ["two tensors in one place", fileOf(`{"a":${entry("U8", "[2]", "[0,2]")},"b":${entry("U8", "[2]", "[0,2]")}}`, 2), "offsets"],
    ["bytes after the last tensor", fileOf(one("U8", "[1]", "[0,1]"), 2), "offsets"],
    ["fewer bytes than the tensors take", fileOf(one("U8", "[2]", "[0,2]"), 1), "truncated"],
    ["a tensor of a terabyte", fileOf(one("U8", "[1099511627776]", "[0,1099511627776]"), 1), "truncated"],
  ])("with %s is refused by name of the file", async (_what, bytes, kind) => {
    const error = await verdictOf(bytes);
    expect(error.code).toBe(`aggregate/safetensors-${kind}`);
    expect(error.message).toContain("hostile.safetensors");
  });

  it("is not waited for where a named pipe lies in the place of the file", async () => {
    const pipe = join(folder, "pipe");
    expect(spawnSync("mkfifo", [pipe]).status).toBe(0);
    await expect(readSafetensorsHeader(pipe)).rejects.toMatchObject({ code: "file/unreadable", message: `${pipe} is not a file.` });
  });

  it("with more tensors than the limit is refused", async () => {
    const members = Array.from({ length: limits.tensorsPerModel + 1 }, (_, i) => `"${i}":${entry("U8", "[0]", "[0,0]")}`);
    expect((await verdictOf(fileOf(`{${members.join(",")}}`))).code).toBe("aggregate/safetensors-limit");
  });

  it("that lies is refused by name of the tensor, cut to the length that a message may have", async () => {
    const error = await verdictOf(fileOf(`{"${"x".repeat(10_000)}":${entry("F32", "[1]", "[0,1]")}}`, 1));
    expect(error.facts.tensor).toBe("x".repeat(limits.peerTextChars));
    expect(error.message.length).toBeLessThan(2 * limits.peerTextChars + 500);
  });

  it("mutated anyhow is either a valid file or an error with a code, at once and in little memory", () => {
    const good = encodeSafetensors(
      [
        ["conv.weight", { dtype: "F32", shape: [2, 3], data: new Float32Array(6) }],
        ["conv.bias", { dtype: "F16", shape: [3], data: new Uint16Array(3) }],
        ["bn.num_batches_tracked", { dtype: "I64", shape: [], data: BigInt64Array.of(3n) }],
        ["empty", { dtype: "F64", shape: [0, 7], data: new Float64Array(0) }],
      ],
      { format: "pt", note: "é" },
    );
    const tokens = ['"', "{", "}", "[", "]", ",", ":", "-1", "1e9", "9007199254740993", "\\u0000", '"dtype"', "null", "[[[["];
    const mutation = fc.record({
      at: fc.oneof(fc.nat(7), fc.nat(good.byteLength - 1)),
      cut: fc.nat(12),
      insert: fc.oneof(
        fc.uint8Array({ maxLength: 8 }),
        fc.constantFrom(...tokens).map((token) => new TextEncoder().encode(token)),
      ),
    });
    let refused = 0;
    const verdict = (bytes: Uint8Array): string => {
      try {
        const tensors = [...decodeSafetensors(bytes).values()];
        return tensors.every(({ shape, data }) => data.length === shape.reduce((a, b) => a * b, 1)) ? "valid" : "lies";
      } catch (error) {
        refused += 1;
        return error instanceof FlareError ? error.code : String(error);
      }
    };
    fc.assert(
      fc.property(fc.array(mutation, { minLength: 1, maxLength: 4 }), fc.boolean(), (mutations, keepsPrefix) => {
        let bytes: Uint8Array = good;
        for (const { at, cut, insert } of mutations) bytes = Buffer.concat([bytes.subarray(0, at), insert, bytes.subarray(at + cut)]);
        if (keepsPrefix) bytes = Buffer.concat([good.subarray(0, 8), bytes.subarray(8)]);
        expect(verdict(bytes)).toMatch(/^(valid|aggregate\/safetensors-[a-z]+)$/);
      }),
      { numRuns: 10_000 },
    );
    expect(refused).toBeGreaterThan(5000);
  });
});

describe("a path that cannot be read", () => {
  it("is refused by its name", async () => {
    await expect(readSafetensorsHeader(join(folder, "none"))).rejects.toMatchObject({ code: "file/not-found" });
    await expect(readSafetensorsHeader(folder)).rejects.toMatchObject({ code: "file/unreadable" });
  });
});
