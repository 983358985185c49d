import { constants, open, readFile } from "node:fs/promises";
import { errnoOf } from "./file-model-store-disk.js";
import type { ObjectRef } from "./model-store.js";

/** The record beside an unfinished object that says how much of it survives a crash. */
export interface DurableOffset {
  /** Bytes. */
  readonly size: number;
  readonly offset: number;
}

/**
 * The recorded durable offset; 0 when there is none, when it was torn by a crash, or when it belongs to another size.
 */
export async function readDurableOffset(path: string, ref: ObjectRef): Promise<number> {
  let text: string;
  try {
    text = await readFile(path, "latin1");
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return 0;
    throw error;
  }
  const match = recordPattern.exec(text);
  if (match === null) return 0;
  const [, size, offset, check] = match;
  const record = { size: Number(size), offset: Number(offset) };
  if (Number(check) !== checkOf(record) || record.size !== ref.size || record.offset > ref.size) return 0;
  return record.offset;
}

/**
 * Records a durable offset. It needs no fsync: a record that is lost with the power names fewer bytes than are durable,
 * never more, as long as the data was made durable before.
 */
export async function writeDurableOffset(path: string, record: DurableOffset): Promise<void> {
  // Not truncated first: who reads, or dies, in between must find the old record or the new one.
  const handle = await open(path, constants.O_WRONLY | constants.O_CREAT, 0o600);
  try {
    await handle.write(encode(record), 0);
  } finally {
    await handle.close();
  }
}

const recordPattern = /^(\d{16}) (\d{16}) (\d{10})\n$/;

// One short write of fixed length: a torn one fails the check, and 0 is then the safe answer.
function encode(record: DurableOffset): string {
  return `${pad(record.size, 16)} ${pad(record.offset, 16)} ${pad(checkOf(record), 10)}\n`;
}

function checkOf({ size, offset }: DurableOffset): number {
  const text = `${pad(size, 16)} ${pad(offset, 16)}`;
  let sum = 2166136261;
  for (let i = 0; i < text.length; i++) sum = Math.imul(sum ^ text.charCodeAt(i), 16777619);
  return sum >>> 0;
}

function pad(value: number, digits: number): string {
  return String(value).padStart(digits, "0");
}
