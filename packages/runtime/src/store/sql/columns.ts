import type { ColumnType } from "kysely";

/** A 64-bit integer column. SQLite gives a number, PostgreSQL a text or a bigint; `toNumber` reads all three. */
export type BigIntColumn = ColumnType<number | string | bigint, number, number>;
export type NullableBigIntColumn = ColumnType<number | string | bigint | null, number | null, number | null>;

/** JSON kept as text in every database, written by `toJsonText` and read by `fromJsonText`. */
export type JsonColumn = string;

/** 0 or 1: SQLite has no booleans. */
export type FlagColumn = number;

/** Reads a 64-bit integer column that holds counts, bytes or milliseconds: all far below 2^53. */
export function toNumber(value: number | string | bigint): number {
  return Number(value);
}

export function toOptionalNumber(value: number | string | bigint | null): number | undefined {
  return value === null ? undefined : Number(value);
}

export function toJsonText(value: unknown): string {
  return JSON.stringify(value);
}

export function fromJsonText(text: string): unknown {
  return JSON.parse(text);
}
