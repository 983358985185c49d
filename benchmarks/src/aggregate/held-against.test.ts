import { expect, it } from "vitest";
import type { FigureHead } from "./contestant.ts";
import { heldAgainst } from "./held-against.ts";

const head = (id: string): FigureHead => ({
  id,
  group: "baseline",
  what: id,
  source: "memory",
  threads: Number(id.split("/t").at(-1)),
  bytes: 1,
  against: {},
});
const fedAvg = { baselines: ["numpy-add", "flower-reduce", "torch-add"], fileBaseline: "numpy-files" } as const;

it("an engine is held against the same work on as many threads, or on the nearest number below", () => {
  const ids = [
    "machine/read/t1",
    "machine/read/t4",
    "baseline/numpy-add/t1",
    "baseline/flower-reduce/t1",
    "baseline/torch-add/t1",
    "baseline/torch-add/t2",
  ];
  const against = heldAgainst([...ids, "machine/files/t1", "baseline/numpy-files/t1"].map(head), fedAvg);
  expect(against.memory(2)).toEqual({ numpy: "baseline/numpy-add/t1", torch: "baseline/torch-add/t2", read: "machine/read/t1" });
  expect(against.memory(4)).toEqual({ numpy: "baseline/numpy-add/t1", torch: "baseline/torch-add/t2", read: "machine/read/t4" });
  expect(against.files).toEqual({ numpy: "baseline/numpy-files/t1", read: "machine/files/t1" });
});

it("what was not measured is not held against", () => {
  expect(heldAgainst([head("baseline/flower-reduce/t1"), head("machine/files/t1")], fedAvg).memory(2)).toEqual({
    numpy: "baseline/flower-reduce/t1",
  });
  expect(heldAgainst([], fedAvg).files).toEqual({});
});
