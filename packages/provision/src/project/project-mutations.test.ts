import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { FlareError } from "@flare-ts/contracts";
import fc from "fast-check";
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
  ...[
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
  ],
  ...[
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
  ],
  ...[
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
  ],
];

interface Mutation {
  readonly at: number;
  readonly length: number;
  readonly text: string;
}

const mutation = fc.record({
  at: fc.nat({ max: everything.length }),
  length: fc.oneof(fc.constant(0), fc.nat({ max: 30 })),
  text: fc.oneof(fc.constantFrom(...words), fc.string({ maxLength: 8, unit: "binary" }), fc.constant("")),
});

function mutate(text: string, mutations: readonly Mutation[]): string {
  return mutations.reduce((result, { at, length, text: inserted }) => result.slice(0, at) + inserted + result.slice(at + length), text);
}

/** The lines of a text in another order, some of them twice or not at all. */
const shuffled = fc
  .array(fc.nat({ max: everything.split("\n").length - 1 }), { maxLength: 60 })
  .map((order) => order.map((index) => everything.split("\n")[index]).join("\n"));

describe("a project file of any text", () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  beforeAll(async () => {
    folder = await temporaryFolder();
  });
  afterAll(async () => {
    await folder.remove();
  });

  it("is a project with names that are folders of their own, or a list of mistakes with lines, and touches no file", async () => {
    const mutated = fc.array(mutation, { minLength: 1, maxLength: 6 }).map((mutations) => mutate(everything, mutations));
    fc.assert(
      fc.property(fc.oneof({ weight: 5, arbitrary: mutated }, { weight: 1, arbitrary: shuffled }), (text) => {
        const project = parsed(text, join(folder.dir, "project.yml"));
        if (project === undefined) return;
        for (const name of [project.name, ...project.participants.map((participant) => participant.name)]) {
          expect(name).toMatch(/^[A-Za-z0-9 ._%+@:-]+$/);
          expect(name).not.toMatch(/[/\\]|^\.\.?$/);
        }
      }),
      { numRuns: runs },
    );
    expect(await readdir(folder.dir)).toEqual([]);
  }, 240_000);
});

function parsed(text: string, file: string): ReturnType<typeof parseProject> | undefined {
  try {
    return parseProject(text, file);
  } catch (error) {
    if (!(error instanceof FlareError)) throw error;
    expect(["project/invalid", "project/not-supported"]).toContain(error.code);
    expect(error.problems.length).toBeGreaterThan(0);
    for (const problem of error.problems) expect(problem.line).toBeGreaterThan(0);
    return undefined;
  }
}
