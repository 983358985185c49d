import { describe, expect, it } from "vitest";
import { projectText } from "../../test/project-text.js";
import { parseProject } from "../project/parse-project.js";
import type { Project } from "../project/project.js";
import { readme } from "./readme.js";

const text = (project: Project, name: string): string => {
  const participant = project.participants.find((each) => each.name === name);
  if (participant === undefined) throw new TypeError(`there is no ${name}`);
  return readme(project, participant);
};

const plain = parseProject(projectText(), "project.yml");
const withRelay = parseProject(
  projectText({
    8: "    fed_learn_port: 8102\n    connection_security: tls",
    13: "    connect_to: { name: relay-1 }\n    listening_host: localhost\n  - name: relay-1\n    type: relay\n    org: a\n    listening_host: { default_host: relay1.example.org, port: 9000 }",
  }),
  "project.yml",
);

describe("readme.txt", () => {
  it("names the scripts that the kit has, the unit, and the key that must stay secret", () => {
    for (const [name, key] of [
      ["server1.example.org", "server.key"],
      ["hospital-a", "client.key"],
    ] as const) {
      const lines = text(plain, name);
      for (const part of ["start.sh", "stop_fl.sh", "sub_start.sh", `deploy/flare-${name}.service`, `startup/${key} is the private key`]) {
        expect(lines).toContain(part);
      }
      expect(lines).not.toMatch(/docker|compose|relay/);
    }
    expect(text(plain, "admin@example.org")).toContain("startup/fl_admin.sh <command>");
  });

  it("speaks of containers where the kit has files for them", () => {
    const project: Project = { ...plain, outputs: { dockerImage: "example/flare:1", compose: {}, startAll: false } };
    expect(text(project, "hospital-a")).toMatch(/startup\/docker.sh .*example\/flare:1[^]*docker compose up --build[^]*DATA_DIR/);
    expect(text(project, "admin@example.org")).toContain("startup/docker.sh <command>");
  });

  it("says where relays are, and what no process of this version does", () => {
    expect(text(withRelay, "relay-1")).toMatch(
      /flare relay start[^]*It connects to server1.example.org at [^]*Those below it reach it at port 9000 of relay1.example.org/,
    );
    expect(text(withRelay, "relay-1")).toContain("startup/client.key and startup/server.key are private keys");
    expect(text(withRelay, "hospital-a")).toMatch(/It connects to relay relay-1 at relay1.example.org:9000; no port/);
    expect(text(withRelay, "hospital-a")).toContain("does not let other programs connect there yet");
    expect(text(withRelay, "server1.example.org")).toContain("a proxy may stand in front");
  });
});
