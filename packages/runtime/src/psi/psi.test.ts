import { createECDH } from "node:crypto";
import { mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { compareBlinded } from "./compare-blinded.js";
import { readCsvColumn } from "./csv-column.js";
import { LocalPsiSite, numbersFrom, plainIntersection, randomSets } from "./local-psi.test-support.js";
import { PointBlinder } from "./point-blinder.js";
import { emptyPsiFile, findPsiFile, pointBytes, psiHeader } from "./psi-file.js";
import { drawPsiSecret } from "./psi-secret.js";
import { countSelected, isSelected, select, shuffleOf, unshuffled } from "./shuffle.js";

const folders: string[] = [];

afterEach(async () => {
  await Promise.all(folders.splice(0).map((folder) => rm(folder, { recursive: true })));
});

async function temporary(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "flare-psi-test-"));
  folders.push(folder);
  return folder;
}

async function siteOf(items: readonly string[]): Promise<LocalPsiSite> {
  const site = await LocalPsiSite.open(items);
  folders.push(site.folder);
  return site;
}

describe("blinding", () => {
  it("gives the same in whatever order sites do it, and nothing that one of them could have given alone", () => {
    const [a, b, c] = [drawPsiSecret(), drawPsiSecret(), drawPsiSecret()].map(({ key }) => new PointBlinder(key));
    if (a === undefined || b === undefined || c === undefined) throw new Error("three were made");
    for (const item of ["", "1", "patient-17", "Zoë 猫", "x".repeat(10_000)]) {
      const abc = c.blindPoint(b.blindPoint(a.blindItem(item)));
      expect(b.blindPoint(a.blindPoint(c.blindItem(item)))).toEqual(abc);
      expect(a.blindPoint(c.blindPoint(b.blindItem(item)))).toEqual(abc);
      expect(a.blindItem(item)).not.toEqual(b.blindItem(item));
      expect(abc.byteLength).toBe(pointBytes);
    }
    expect(a.blindItem("1")).not.toEqual(a.blindItem("2"));
  });

  it("refuses what is no point", () => {
    const blinder = new PointBlinder(drawPsiSecret().key);
    const isPoint = (x: Uint8Array): boolean => {
      try {
        const curve = createECDH("prime256v1");
        curve.generateKeys();
        curve.computeSecret(Buffer.concat([Buffer.from([2]), x]));
        return true;
      } catch {
        return false;
      }
    };
    const draw = numbersFrom(5);
    const candidates = Array.from({ length: 60 }, () => Uint8Array.from({ length: pointBytes }, () => draw(256)));
    const [points, others] = [candidates.filter(isPoint), candidates.filter((x) => !isPoint(x))];
    expect(points.length).toBeGreaterThan(10);
    expect(others.length).toBeGreaterThan(10);
    for (const point of points) expect(isPoint(blinder.blindPoint(point))).toBe(true);
    for (const other of others) expect(() => blinder.blindPoint(other)).toThrow(/no point of P-256/);
  });
});

describe("a shuffle", () => {
  it("is a permutation that its seed decides, and that a selection finds its way back through", () => {
    for (const count of [0, 1, 2, 7, 8, 9, 1000]) {
      const seed = drawPsiSecret().shuffleSeed;
      const places = shuffleOf(count, seed);
      expect([...places].sort((x, y) => x - y)).toEqual(Array.from({ length: count }, (_, i) => i));
      expect(shuffleOf(count, seed)).toEqual(places);
      const draw = numbersFrom(count);
      const chosen = Array.from({ length: count }, () => draw(2) === 1);
      const after = new Uint8Array(Math.ceil(count / 8));
      chosen.forEach((is, index) => is && select(after, places[index] ?? 0));
      const before = unshuffled(after, places);
      expect(chosen.map((_, index) => isSelected(before, index))).toEqual(chosen);
      expect(countSelected(before)).toBe(chosen.filter(Boolean).length);
    }
  });

  it("puts each item at each place about as often", () => {
    const counts = Array.from({ length: 4 }, () => [0, 0, 0, 0]);
    for (let i = 0; i < 4000; i += 1) {
      shuffleOf(4, Uint8Array.of(i & 255, i >> 8)).forEach((place, item) => {
        const row = counts[item];
        if (row !== undefined) row[place] = (row[place] ?? 0) + 1;
      });
    }
    // Six standard deviations about 1000.
    for (const count of counts.flat()) expect(Math.abs(count - 1000)).toBeLessThan(170);
  });
});

describe("comparing lists", () => {
  it("finds what plain sets have in common, however many passes it takes, and takes what a list has twice once", async () => {
    const folder = await temporary();
    for (let seed = 0; seed < 20; seed += 1) {
      const draw = numbersFrom(seed);
      const lists = Array.from({ length: 2 + draw(4) }, () => Array.from({ length: draw(60) }, () => draw(40)));
      const paths = await Promise.all(
        lists.map(async (list, i) => {
          const path = join(folder, `${seed}-${i}`);
          const points = list.map((number) => Uint8Array.from({ length: pointBytes }, (_, at) => (number * (at + 1)) % 251));
          await writeFile(path, Buffer.concat([psiHeader({ kind: "points", count: list.length }), ...points]));
          return path;
        }),
      );
      const expected = plainIntersection(lists.map((list) => list.map(String)));
      for (const pass of [1, 7, 1000]) {
        const selections = await compareBlinded(paths, pass);
        for (const [i, selection] of selections.entries()) {
          const found = (lists[i] ?? []).filter((_, at) => isSelected(selection, at)).map(String);
          // With passes this small a point that a list has twice may be in two of them.
          const once = pass === 1000 ? found : [...new Set(found)];
          expect(once.toSorted(), `list ${i} of ${seed}, ${pass} a pass`).toEqual(expected);
        }
      }
    }
  });
});

describe("a file of an intersection", () => {
  it("is one with that tensor alone", async () => {
    const path = join(await temporary(), "file");
    const found = async (bytes: Uint8Array) => {
      await writeFile(path, bytes);
      return findPsiFile(path);
    };
    const points = psiHeader({ kind: "points", count: 2 });
    expect(await found(Buffer.concat([points, Buffer.alloc(64)]))).toEqual({ kind: "points", count: 2, start: points.byteLength });
    expect(await found(emptyPsiFile)).toMatchObject({ kind: "selection", count: 0 });
    expect(await found(Buffer.concat([points, Buffer.alloc(63)]))).toBeUndefined();
    expect(await found(new Uint8Array(4))).toBeUndefined();
    const header = JSON.stringify({ "flare.psi": { dtype: "U8", shape: [0], data_offsets: [0, 0] }, w: {} });
    expect(await found(Buffer.concat([Uint8Array.of(header.length, 0, 0, 0, 0, 0, 0, 0), Buffer.from(header)]))).toBeUndefined();
  });
});

describe("a site", () => {
  it("keeps its key and its identifiers to itself, and asks for them once", async () => {
    const site = await siteOf(["b", "a", "b"]);
    const first = await site.answer({ model: emptyPsiFile, round: 0, totalRounds: 4 });
    expect((await site.answer({ model: emptyPsiFile, round: 0, totalRounds: 4 })).bytes).toEqual(first.bytes);
    expect(site.loads).toBe(1);
    for (const name of (await readdir(site.folder)).filter((one) => one === "psi.key" || one === "psi.items"))
      expect((await stat(join(site.folder, name))).mode & 0o777, `of ${name}`).toBe(0o600);
  });

  it("blinds the same in several threads as in one", async () => {
    const site = await siteOf(Array.from({ length: 3000 }, (_, i) => `item ${i}`));
    const alone = await site.answer({ model: emptyPsiFile, round: 0, totalRounds: 4, threads: 1 });
    const many = await site.answer({ model: emptyPsiFile, round: 0, totalRounds: 4, threads: 3 });
    expect(Buffer.from(alone.bytes).equals(many.bytes)).toBe(true);
  });

  it.each([
    ["none", [], /has no identifiers/],
    ["one that is empty", ["a", ""], /an empty one/],
    ["one with a line break", ["a\nb"], /line break/],
    ["one with half a character", ["a\ud800"], /half a character/],
  ])("does not take part with identifiers of which it has %s", async (_, items, message) => {
    const site = await siteOf(items);
    await expect(site.answer({ model: emptyPsiFile, round: 0, totalRounds: 4 })).rejects.toThrow(message);
  });

  it("is not told an intersection of another list than its own", async () => {
    const site = await siteOf(randomSets(1, 1, 40)[0] ?? []);
    await site.answer({ model: emptyPsiFile, round: 0, totalRounds: 4 });
    const model = Buffer.concat([psiHeader({ kind: "selection", count: 1 }), Uint8Array.of(255)]);
    await expect(site.answer({ model, round: 3, totalRounds: 4 })).rejects.toThrow(/selection has 1 bytes/);
    expect(site.intersection).toBeUndefined();
  });
});

describe("a column of a CSV file", () => {
  const read = async (text: string, column = "id", delimiter = ",") => {
    const path = join(await temporary(), "file.csv");
    await writeFile(path, text);
    return readCsvColumn({ path, dataset: "patients", column, delimiter });
  };

  it("is read as it stands there, without empty cells", async () => {
    expect(await read("id,age\n1,20\r\n 2 ,30\n,40\n007,50")).toEqual(["1", " 2 ", "007"]);
    expect(await read('\uFEFFname;"id"\r\n"a;b";"x ""y"";z"\r\n', "id", ";")).toEqual(['x "y";z']);
    expect(await read("age,id\n20")).toEqual([]);
  });

  it("is told of when it is not there", async () => {
    await expect(read("name,age\na,1")).rejects.toThrow(/no column 'id': its columns are name, age/);
    await expect(read("")).rejects.toThrow(/is empty/);
    await expect(readCsvColumn({ path: "/nowhere", dataset: "patients", column: "id", delimiter: "," })).rejects.toThrow(/no file/);
  });
});
