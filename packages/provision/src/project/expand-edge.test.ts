import { describe, expect, it } from "vitest";
import { parseProject } from "./parse-project.js";

const projectOf = (edge: string): string => `api_version: 3
name: tree
edge: ${edge}
participants:
  - { name: ignored, type: client, org: a }
  - { name: admin@example.org, type: admin, org: a, role: project_admin }
`;

describe("edge", () => {
  it("makes FLARE's tree of relays and sites, on ports of their own", () => {
    const { participants, server } = parseProject(projectOf("{ depth: 2, width: 2, clients: 2 }"), "project.yml");
    const count = (type: string): number => participants.filter((participant) => participant.type === type).length;
    expect([count("server"), count("relay"), count("client"), count("admin")]).toEqual([1, 6, 14, 1]);
    expect(server).toMatchObject({ name: "server", port: 8002, hosts: ["localhost", "127.0.0.1"] });
    expect(participants.slice(1, 6).map(({ name }) => name)).toEqual(["R1", "C1", "R11", "C11", "C111"]);
    expect(participants.find(({ name }) => name === "R11")).toMatchObject({ fqcn: "R1.R11", relay: "R1", listeningHost: { port: 9003 } });
    expect(participants.find(({ name }) => name === "C112")).toMatchObject({
      fqsn: "C1.C11.C112",
      isLeaf: true,
      relay: "R11",
      listeningHost: { hosts: ["localhost"] },
    });
    const ports = participants.flatMap((each) => (each.type === "relay" ? [each.listeningHost.port] : []));
    expect(new Set(ports).size).toBe(6);
  });

  it("leaves out the sites at the relays when told", () => {
    const { participants } = parseProject(projectOf("{ depth: 1, width: 2, clients: 3, lcp_only: true }"), "project.yml");
    expect(participants.map(({ name }) => name)).toEqual([
      "server",
      "R1",
      "C11",
      "C12",
      "C13",
      "R2",
      "C21",
      "C22",
      "C23",
      "admin@example.org",
    ]);
    expect(participants.find(({ name }) => name === "C13")).toMatchObject({ fqsn: "C13", relay: "R1" });
  });

  it("says in warnings what it does not make", () => {
    const { warnings } = parseProject(projectOf("{ depth: 1, width: 2, clients: 2, root_dir: . }"), "project.yml");
    const messages = warnings.map(({ line, message }) => `${line}: ${message}`);
    expect(messages).toContain(
      "3: edge makes the tree of relays and sites only: the routing proxy and what simulates devices are not written yet",
    );
    expect(messages).toContain("3: root_dir has no effect: --workspace says where the project is kept");
    expect(messages).toContain("3: edge_service_port has no effect: sites do not serve devices yet");
  });
});
