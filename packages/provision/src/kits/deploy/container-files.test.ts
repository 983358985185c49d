import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { projectText } from "../../../test/project-text.js";
import { parseProject } from "../../project/parse-project.js";
import type { ClientParticipant } from "../../project/project.js";
import { kitContainerFiles, projectContainerFiles } from "./container-files.js";

const capacity = "    capacity: { num_of_gpus: 2, mem_per_gpu_in_GiB: 16 }";
const project = parseProject(projectText({ 13: `    connect_to: localhost\n${capacity}` }), "project.yml");
const site = project.participants.find((each): each is ClientParticipant => each.type === "client");

type Files = ReturnType<typeof projectContainerFiles>;
const textOf = (files: Files, path: string): string => {
  const file = files.find((each) => each.path === path);
  if (file === undefined) throw new Error(`there is no ${path} among ${files.map((each) => each.path).join(", ")}`);
  return file.text;
};

const proxy = { HTTPS_PROXY: "${HTTPS_PROXY:-}", NO_PROXY: "${NO_PROXY:-}" };

/** What is the same for every service. */
const anyService = (build: string): object => ({
  image: "${IMAGE_NAME}",
  build: { context: build, args: { BASE_IMAGE: "${BASE_IMAGE}", FLARE_PACKAGE: "${FLARE_PACKAGE}", ...proxy } },
  user: "${FLARE_UID}:${FLARE_GID}",
  working_dir: "/workspace",
  init: true,
  restart: "unless-stopped",
  stop_grace_period: "90s",
  security_opt: ["no-new-privileges:true"],
  cap_drop: ["ALL"],
  shm_size: "${SHM_SIZE}",
});
const gpus = { resources: { reservations: { devices: [{ driver: "nvidia", count: 2, capabilities: ["gpu"] }] } } };

describe("compose.yaml", () => {
  it("of a kit runs its process, with the kit and the data of the machine that it is on", () => {
    if (site === undefined) throw new TypeError("the example has no site");
    const files = kitContainerFiles(project, site, {});
    expect(parse(textOf(files, "deploy/compose.yaml"))).toEqual({
      name: "flare-example-project-hospital-a",
      services: {
        "hospital-a": {
          ...anyService("."),
          command: ["client", "start", "/workspace"],
          environment: { FLARE_WATCHED: "always", ...proxy },
          volumes: ["..:/workspace:Z", "${DATA_DIR:-./data}:/data:ro"],
          network_mode: "host",
          deploy: gpus,
        },
      },
    });
  });

  it("of a project runs the server and every site on one machine, where they find each other", () => {
    const { services } = parse(textOf(projectContainerFiles(project, {}), "compose.yaml")) as { services: object };
    expect(services).toEqual({
      "server1.example.org": {
        ...anyService("./nvflare_compose"),
        command: ["server", "start", "/workspace"],
        environment: { FLARE_WATCHED: "always" },
        volumes: ["./server1.example.org:/workspace:Z"],
        ports: ["8102:8102"],
        networks: { default: { aliases: ["server1.example.org"] } },
      },
      "hospital-a": {
        ...anyService("./nvflare_compose"),
        command: ["client", "start", "/workspace"],
        environment: { FLARE_WATCHED: "always", ...proxy },
        volumes: ["./hospital-a:/workspace:Z", "${DATA_DIR:-./data}/hospital-a:/data:ro"],
        network_mode: "service:server1.example.org",
        deploy: gpus,
      },
    });
  });

  it("and its image are named after the project, so that those of another take neither its containers nor its image away", () => {
    const named = parseProject(projectText({ 2: "name: My Project v1.0_" }), "project.yml");
    const files = projectContainerFiles(named, {});
    expect(parse(textOf(files, "compose.yaml"))).toMatchObject({ name: "flare-my-project-v1-0" });
    expect(textOf(files, ".env")).toMatch(/^IMAGE_NAME=flare-my-project-v1-0$/m);
  });

  it("leaves a site on the machine's own network whose relay runs on the machine", () => {
    const relay = "  - { name: relay-1, type: relay, org: a, listening_host: { default_host: localhost, port: 9000 } }";
    const behind = parseProject(projectText({ 13: `    connect_to: { name: relay-1 }\n${relay}` }), "project.yml");
    const { services } = parse(textOf(projectContainerFiles(behind, {}), "compose.yaml")) as { services: Record<string, object> };
    expect(services["hospital-a"]).toMatchObject({ network_mode: "host" });
  });

  it("lets a site that dials the server by its name find it without sharing its network", () => {
    const direct = parseProject(projectText({ 13: capacity }), "project.yml");
    expect(textOf(projectContainerFiles(direct, {}), "compose.yaml")).not.toContain("network_mode");
  });

  it("lets clear text out of a container only where .env says so", () => {
    const clear = parseProject(`${projectText()}connection_security: clear\n`, "project.yml");
    const { services } = parse(textOf(projectContainerFiles(clear, {}), "compose.yaml")) as { services: Record<string, object> };
    for (const service of Object.values(services)) {
      expect(service).toMatchObject({ environment: { FLARE_ALLOW_CLEAR: "${FLARE_ALLOW_CLEAR:-}" } });
    }
    expect(textOf(projectContainerFiles(clear, {}), ".env")).toContain("\n#FLARE_ALLOW_CLEAR=1\n");
  });

  it("finds every variable that it uses in .env, or has a value for it", () => {
    if (site === undefined) throw new TypeError("the example has no site");
    const cases: [Files, string][] = [
      [projectContainerFiles(project, {}), ""],
      [kitContainerFiles(project, site, {}), "deploy/"],
    ];
    for (const [files, dir] of cases) {
      const set = new Set([...textOf(files, `${dir}.env`).matchAll(/^(\w+)=/gm)].map((match) => match[1]));
      const used = [...textOf(files, `${dir}compose.yaml`).matchAll(/\$\{(\w+)(:-)?/g)];
      expect(used.filter(([, name, fallback]) => fallback === undefined && !set.has(name)).map(([text]) => text)).toEqual([]);
      expect(used.length).toBeGreaterThan(5);
    }
  });
});

describe("the image", () => {
  const instructionsOf = (text: string): string[][] =>
    text
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => line.split(" "));

  it.each([undefined, "numpy==2.0\n"])(
    "is any base with Node and the command added, by instructions that a Dockerfile has: %j",
    (requirements) => {
      const files = projectContainerFiles(project, requirements === undefined ? {} : { requirements });
      const lines = instructionsOf(textOf(files, "nvflare_compose/Dockerfile"));
      const known = ["ARG", "FROM", "RUN", "COPY", "ENV", "USER", "WORKDIR", "ENTRYPOINT", "CMD"];
      expect(lines.filter(([word]) => !known.includes(word ?? ""))).toEqual([]);
      const stages = lines.filter(([word]) => word === "FROM").map(([, , , name]) => name);
      expect(stages).toEqual(["flare", undefined]);
      for (const [, from] of lines.filter(([word, first]) => word === "COPY" && first?.startsWith("--from="))) {
        expect(from).toBe("--from=flare");
      }
      expect(lines.some(([word, first]) => word === "COPY" && first === "requirements.txt")).toBe(requirements !== undefined);
      for (const list of lines.filter(([word]) => word === "ENTRYPOINT" || word === "CMD")) {
        expect(JSON.parse(list.slice(1).join(" "))).toBeInstanceOf(Array);
      }
      expect(lines.findLastIndex(([word]) => word === "USER")).toBeGreaterThan(lines.findLastIndex(([word]) => word === "RUN"));
    },
  );

  it("is built on what the project names", () => {
    expect(textOf(projectContainerFiles(project, { baseImage: "python:3.8" }), ".env")).toContain("\nBASE_IMAGE=python:3.8\n");
    expect(textOf(projectContainerFiles(project, {}), ".env")).toContain("\nBASE_IMAGE=python:3.12-slim\n");
  });
});
