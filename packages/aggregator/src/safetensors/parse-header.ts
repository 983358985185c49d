import { FlareError, limits } from "@flare-ts/contracts/errors";
import { quoted } from "../peer-text.js";
import type { HeaderEntry } from "./layout.js";

/** What a header's JSON says, word for word. */
export interface ParsedHeader {
  readonly entries: readonly HeaderEntry[];
  readonly metadata: Readonly<Record<string, string>>;
}

/** Dimensions of one tensor; NumPy and PyTorch allow 64. */
const maxRank = 64;

const char = { quote: 0x22, comma: 0x2c, zero: 0x30, nine: 0x39, colon: 0x3a, backslash: 0x5c, open: 0x5b, close: 0x5d } as const;
const brace = { open: 0x7b, close: 0x7d } as const;

/**
 * Reads the JSON text of a safetensors header. It is not read by `JSON.parse`, which keeps the last of two equal names and
 * builds whatever nesting a hostile text asks for; memory here is bounded by the text and by `limits.tensorsPerModel`.
 *
 * @throws `aggregate/safetensors-header`, `aggregate/safetensors-limit`, `aggregate/safetensors-offsets`
 */
export function parseHeaderText(text: Uint8Array, file: string): ParsedHeader {
  const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  let at = 0;
  let tensor: string | undefined;

  const fail = (what: string): never => {
    const where = tensor === undefined ? "" : ` at tensor ${quoted(tensor)}`;
    throw new FlareError("aggregate/safetensors-header", `${file}: ${what}${where}, byte ${at} of the header.`, {
      facts: { file, headerByte: at, ...(tensor === undefined ? {} : { tensor: tensor.slice(0, limits.peerTextChars) }) },
    });
  };
  const exceed = (what: string): never => {
    throw new FlareError("aggregate/safetensors-limit", `${file}: ${what}.`, { facts: { file } });
  };
  const skipSpace = (): void => {
    for (let c = text[at]; c === 0x20 || c === 0x0a || c === 0x0d || c === 0x09; c = text[at]) at += 1;
  };
  const take = (wanted: number): boolean => {
    skipSpace();
    if (text[at] !== wanted) return false;
    at += 1;
    return true;
  };
  const expect = (wanted: number): void => {
    if (!take(wanted)) fail(`expected ${quoted(String.fromCharCode(wanted))}`);
  };
  const readString = (): string => {
    expect(char.quote);
    const start = at;
    let isEscaped = false;
    for (; ; at += 1) {
      const c = text[at];
      if (c === undefined || c < 0x20) return fail("a text that does not end");
      if (c === char.quote) break;
      if (c === char.backslash) {
        isEscaped = true;
        at += 1;
      }
    }
    at += 1;
    let value: string;
    try {
      value = utf8.decode(text.subarray(start, at - 1));
      if (isEscaped) value = String(JSON.parse(`"${value}"`));
    } catch {
      return fail("a text that is not UTF-8 or has a wrong escape");
    }
    // The reference implementation refuses half a surrogate pair, which no UTF-8 file could hold.
    return value.isWellFormed() ? value : fail("a text with half a surrogate pair");
  };
  const readWhole = (what: string): number => {
    skipSpace();
    const start = at;
    let value = 0;
    for (let c = text[at]; c !== undefined && c >= char.zero && c <= char.nine; c = text[at]) {
      value = value * 10 + (c - char.zero);
      at += 1;
      if (value > Number.MAX_SAFE_INTEGER) return fail(`${what} beyond 2^53`);
    }
    const after = text[at];
    const isPlain = after === char.comma || after === char.close || after === 0x20 || after === 0x0a || after === 0x0d || after === 0x09;
    if (at === start || !isPlain || (text[start] === char.zero && at > start + 1))
      return fail(`${what} that is not a whole number of at least 0`);
    return value;
  };
  const readWholes = (what: string, most: number): number[] => {
    expect(char.open);
    const values: number[] = [];
    if (take(char.close)) return values;
    do {
      if (values.length === most) return exceed(`tensor ${quoted(tensor ?? "")} has more than ${most} entries in its ${what}`);
      values.push(readWhole(what));
    } while (take(char.comma));
    expect(char.close);
    return values;
  };
  const readEach = (member: (key: string) => void): void => {
    expect(brace.open);
    if (take(brace.close)) return;
    do {
      const key = readString();
      expect(char.colon);
      member(key);
    } while (take(char.comma));
    expect(brace.close);
  };
  const readMetadata = (): Record<string, string> => {
    const metadata = new Map<string, string>();
    readEach((key) => {
      if (metadata.has(key)) fail(`metadata ${quoted(key)} given twice`);
      if (metadata.size === limits.tensorsPerModel) exceed(`more than ${limits.tensorsPerModel} entries of metadata`);
      metadata.set(key, readString());
    });
    return Object.fromEntries(metadata);
  };
  const readEntry = (name: string): HeaderEntry => {
    let dtype: string | undefined;
    let shape: number[] | undefined;
    let offsets: number[] | undefined;
    readEach((key) => {
      if (key === "dtype" && dtype === undefined) dtype = readString();
      else if (key === "shape" && shape === undefined) shape = readWholes("shape", maxRank);
      else if (key === "data_offsets" && offsets === undefined) offsets = readWholes("data_offsets", 2);
      else fail(`${quoted(key)} is unknown or given twice`);
    });
    const [begin, end] = offsets ?? [];
    if (dtype === undefined || shape === undefined || begin === undefined || end === undefined) {
      return fail("dtype, shape or data_offsets is missing");
    }
    return { name, dtype, shape, begin, end };
  };

  if (text[0] !== brace.open) fail("a header that does not begin with {");
  const entries: HeaderEntry[] = [];
  const names = new Set<string>();
  let metadata: Record<string, string> = {};
  readEach((name) => {
    if (names.has(name)) fail(`the name ${quoted(name)} given twice`);
    names.add(name);
    if (name === "__metadata__") {
      metadata = readMetadata();
      return;
    }
    if (entries.length === limits.tensorsPerModel) exceed(`more than ${limits.tensorsPerModel} tensors`);
    tensor = name;
    entries.push(readEntry(name));
    tensor = undefined;
  });
  skipSpace();
  if (at !== text.length) fail("something after the closing }");
  return { entries, metadata };
}
