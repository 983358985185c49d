import { expect, it } from "vitest";
import { parseProject } from "./parse-project.js";

const lines = [
  "api_version: 3",
  "name: full_project",
  "connection_security: mtls",
  "participants:",
  "  - name: server1.example.org",
  "    type: server",
  "    org: a",
  "    auth_identity: the-server",
  "    listening_host: localhost",
  "  - name: relay-1",
  "    type: relay",
  "    org: a",
  "    listening_host: { default_host: relay1.example.org, port: 9000, connection_security: mtls }",
  "  - name: hospital-a",
  "    type: client",
  "    org: a",
  "  - name: ward-1",
  "    type: client",
  "    org: a",
  "    parent: hospital-a",
  "    connect_to:",
  "      name: relay-1",
  "  - { name: admin@example.org, type: admin, org: a, role: lead }",
];

const warningsOf = (text: string): string[] => parseProject(text, "project.yml").warnings.map(({ line, message }) => `${line}: ${message}`);

it("what kits say and no process does yet is named with its line", () => {
  const nearestTo = (line: number): unknown => expect.stringContaining(`${line}: `);
  const warnings = warningsOf(`${lines.join("\n")}\n`);
  expect(warnings).toEqual([nearestTo(8), nearestTo(9), nearestTo(20)]);
  expect(warnings.join("\n")).toMatch(/certificate, which names 'server1.example.org'[^]*nothing listens there yet[^]*hierarchy of sites/);
});

it("a plain project has nothing of that", () => {
  expect(warningsOf(`${[...lines.slice(0, 7), ...lines.slice(13, 16), lines[22]].join("\n")}\n`)).toEqual([]);
});
