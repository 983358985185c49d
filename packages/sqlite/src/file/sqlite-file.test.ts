import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { openSqliteFile, type SqliteFile } from "./sqlite-file.js";

let folder = "";
let file: SqliteFile;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "flare-sqlite-file-"));
  file = await openSqliteFile({ path: join(folder, "a.db"), migrations: { "0001-words": "create table words (word text primary key)" } });
});

afterEach(() => {
  file.close();
  rmSync(folder, { recursive: true, force: true });
});

it("a commit that does not wait for the disk is seen at once, and those after it wait again, also after one that failed", () => {
  const isPatient = (): unknown => file.first("pragma synchronous")?.["synchronous"];
  file.runWithoutWaiting("insert into words values (?)", "one");
  expect(file.all("select word from words")).toEqual([{ word: "one" }]);
  expect(isPatient()).toBe(2);
  expect(() => file.runWithoutWaiting("insert into words values (?)", "one")).toThrow("UNIQUE");
  expect(isPatient()).toBe(2);
});
