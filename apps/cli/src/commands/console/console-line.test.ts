import { describe, expect, it } from "vitest";
import { splitLine } from "./console-line.js";

describe("a line of the console", () => {
  it.each([
    ["  list_jobs   -m 3 ", ["list_jobs", "-m", "3"]],
    [`submit_job "my job" 'it''s'`, ["submit_job", "my job", "its"]],
    [String.raw`submit_job my\ job`, ["submit_job", "my job"]],
    [`submit_job ""`, ["submit_job", ""]],
    ["job\tlist", ["job", "list"]],
    ["", []],
  ])("%j is split as a shell splits it", (line, words) => {
    expect(splitLine(line)).toEqual({ words, file: undefined, isAppended: false });
  });

  it.each([
    ["list_jobs > jobs.txt", "jobs.txt", false],
    ["list_jobs>>'all jobs'", "all jobs", true],
  ])("%j keeps its output", (line, file, isAppended) => {
    expect(splitLine(line)).toEqual({ words: ["list_jobs"], file, isAppended });
  });

  it.each([
    [`submit_job "my job`, /quote " is not closed/],
    ["list_jobs >", /followed by the name of a file/],
    ["list_jobs > a b", /'b' stands behind the name of the file/],
  ])("%j is refused", (line, message) => {
    expect(() => splitLine(line)).toThrow(message);
  });
});
