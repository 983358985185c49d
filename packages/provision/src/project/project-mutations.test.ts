import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { FlareError } from "@flare-ts/contracts";
import { array, assert, constant, constantFrom, nat, oneof, property, record, string } from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { projectText } from "../../test/project-text.js";
import { temporaryFolder } from "../../test/temporary-folder.js";
import { parseProject } from "./parse-project.js";

const runs = Number(process.env["FLARE_MUTATIONS"] ?? 400);

const everything = projectText({
  1: "api_version: 4",
  3: [
    "description: everything",
    "connection_security: tls",
    "certificates: { key_type: p256, leaf_lifetime: 5m, renewal: ca_holder, server_may_renew: [client] }",
    "studies: { cancer: { site_orgs: { hospital_a: [hospital-a] }, admins: [admin@example.org] } }",
    "packager: { path: ./packager.mjs }",
  ].join("\n"),
  13: [
    "    connect_to: &to { name: relay1, host: localhost, port: 9001 }",
    "    listening_host: { scheme: tcp, port: 0 }",
    "    capacity: { num_of_gpus: 1 }",
    "  - { name: relay1, type: relay, org: r, listening_host: { default_host: localhost, port: 9001 } }",
    "  - { name: hospital-b, type: client, org: b, connect_to: *to, parent: hospital-a }",
  ].join("\n"),
});

const words = [
  "include: project.yml",
  "include: [/etc/passwd, ../..]",
  "__proto__: 1",
  "constructor",
  "<<: *to",
  "*to",
  "&to",
  "../../x",
  "\0",
  "\r",
  "edge: { depth: 5, width: 9, clients: 9 }",
  "custom_ca_cert: /dev/zero",
  "- ",
  ": ",
  "{",
  "}",
  "[",
  "]",
  "?",
  "!!binary",
  "!x",
  "|",
  ">",
  "'",
  "null",
  "~",
  "1e999",
  "-1",
  "0",
  ".nan",
  "type: server",
  "type: relay",
  "name: relay1",
  "parent: hospital-b",
  "\t",
  "#",
  "%YAML 1.1",
  "---",
  "...",
];

interface Mutation {
  readonly at: number;
  readonly length: number;
  readonly text: string;
}

const mutation = record({
  at: nat({ max: everything.length }),
  length: oneof(constant(0), nat({ max: 30 })),
  text: oneof(constantFrom(...words), string({ maxLength: 8, unit: "binary" }), constant("")),
});

function mutate(text: string, mutations: readonly Mutation[]): string {
  return mutations.reduce((result, { at, length, text: inserted }) => result.slice(0, at) + inserted + result.slice(at + length), text);
}

/** The lines of a text in another order, some of them twice or not at all. */
const shuffled = array(nat({ max: everything.split("\n").length - 1 }), { maxLength: 60 }).map((order) =>
  order.map((index) => everything.split("\n")[index]).join("\n"),
);

describe("a project file of any text", () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  beforeAll(async () => {
    folder = await temporaryFolder();
  });
  afterAll(async () => {
    await folder.remove();
  });

  it("is changed from one that is right", () => {
    expect(parseProject(everything, join(folder.dir, "project.yml")).participants).toHaveLength(5);
  });

  it("is a project with names that are folders of their own, or a list of mistakes with lines, and touches no file", async () => {
    const mutated = array(mutation, { minLength: 1, maxLength: 6 }).map((mutations) => mutate(everything, mutations));
    assert(
      property(oneof({ weight: 5, arbitrary: mutated }, { weight: 1, arbitrary: shuffled }), (text) => {
        expect(faultsOf(text, join(folder.dir, "project.yml"))).toEqual([]);
      }),
      { numRuns: runs },
    );
    expect(await readdir(folder.dir)).toEqual([]);
  }, 240_000);
});

/** What must not be: names that lead elsewhere, errors of another kind, mistakes without a line. */
function faultsOf(text: string, file: string): unknown[] {
  try {
    const project = parseProject(text, file);
    const names = [project.name, ...project.participants.map((participant) => participant.name)];
    return names.filter((name) => !/^[A-Za-z0-9 ._%+@:-]+$/.test(name) || name === "." || name === "..");
  } catch (error) {
    if (!(error instanceof FlareError) || !["project/invalid", "project/not-supported"].includes(error.code)) return [error];
    if (error.problems.length === 0) return [error];
    return error.problems.filter(({ line }) => line === undefined || line < 1);
  }
}
