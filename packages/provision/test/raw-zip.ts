import { crc32, deflateRawSync } from "node:zlib";

/** An entry of a zip file, and each lie that it may tell. */
export interface RawEntry {
  readonly name: string | Uint8Array;
  readonly content?: Uint8Array | string;
  /** Compression method; 8 deflates, everything else stores. @default 8 */
  readonly method?: number;
  readonly declaredSize?: number;
  readonly declaredCrc?: number;
  /** Name in the local header. @default the same */
  readonly localName?: string;
  /** Unix mode with the bits of the type. @default 0o100644 */
  readonly mode?: number;
  readonly flags?: number;
  readonly extra?: Uint8Array;
  /** Points to the data of an earlier entry instead of having its own. */
  readonly sameDataAs?: number;
}

/** Builds a zip file as somebody with bad intentions would: nothing is checked. */
export function rawZip(entries: readonly RawEntry[], { before = "", after = "", comment = "" } = {}): Buffer {
  const parts: Buffer[] = [Buffer.from(before)];
  const directory: Buffer[] = [];
  const offsets: number[] = [];
  let at = before.length;
  for (const entry of entries) {
    const { method = 8, mode = 0o100644, flags = 0x800, extra = new Uint8Array(), sameDataAs } = entry;
    const name = Buffer.from(entry.name);
    const content = Buffer.from(entry.content ?? "");
    const data = method === 8 ? deflateRawSync(content) : content;
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(flags, 2);
    common.writeUInt16LE(method, 4);
    common.writeUInt32LE(0x5b_61_60_00, 6);
    common.writeUInt32LE(entry.declaredCrc ?? crc32(content), 10);
    common.writeUInt32LE(data.length, 14);
    common.writeUInt32LE(entry.declaredSize ?? content.length, 18);
    common.writeUInt16LE(name.length, 22);
    common.writeUInt16LE(extra.length, 24);
    let offset = at;
    if (sameDataAs === undefined) {
      const localName = Buffer.from(entry.localName ?? name);
      const local = Buffer.from(common);
      local.writeUInt16LE(localName.length, 22);
      const record = Buffer.concat([Buffer.from("PK\x03\x04"), local, localName, extra, data]);
      parts.push(record);
      at += record.length;
    } else offset = offsets[sameDataAs] ?? 0;
    offsets.push(offset);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE((mode << 16) >>> 0, 6);
    tail.writeUInt32LE(offset, 10);
    directory.push(Buffer.concat([Buffer.from([0x50, 0x4b, 1, 2, 20, 3]), common, tail, name, extra]));
  }
  const records = Buffer.concat(directory);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(entries.length, 4);
  end.writeUInt16LE(entries.length, 6);
  end.writeUInt32LE(records.length, 8);
  end.writeUInt32LE(at, 12);
  end.writeUInt16LE(comment.length, 16);
  return Buffer.concat([...parts, records, Buffer.from("PK\x05\x06"), end, Buffer.from(comment), Buffer.from(after)]);
}
