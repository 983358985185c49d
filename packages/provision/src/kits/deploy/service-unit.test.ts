import { execFileSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { needsTool } from "../../../test/needs-tool.js";
import { projectText } from "../../../test/project-text.js";
import { temporaryFolder } from "../../../test/temporary-folder.js";
import { parseProject } from "../../project/parse-project.js";
import type { Participant } from "../../project/project.js";
import { serviceUnit } from "./service-unit.js";

const project = parseProject(projectText({ 8: "    fed_learn_port: 443" }), "project.yml");

function unitOf(type: "server" | "client"): { name: string; text: string; entries: string[] } {
  const participant = project.participants.find((each): each is Extract<Participant, { type: typeof type }> => each.type === type);
  if (participant === undefined) throw new TypeError(`the example has no ${type}`);
  const { path, text } = serviceUnit(project, participant);
  const entries = text.split("\n").filter((line) => /^[A-Z]\w*=/.test(line));
  return { name: path.replace("deploy/", ""), text, entries };
}

describe.each(["server", "client"] as const)("the unit of a %s", (type) => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  beforeEach(async () => {
    folder = await temporaryFolder();
  });
  afterEach(() => folder.remove());

  it.skipIf(needsTool("systemd-analyze", "systemd"))("is one that systemd has nothing to say against", async () => {
    const { name, text } = unitOf(type);
    const file = join(folder.dir, name);
    await writeFile(file, text);
    const output = execFileSync("sh", ["-c", 'systemd-analyze verify --man=no "$1" 2>&1', "sh", file], { encoding: "utf8" });
    expect(output).toBe("");
    await writeFile(file, text.replaceAll("/srv/flare/", "/srv/our federation/"));
    expect(execFileSync("sh", ["-c", 'systemd-analyze verify --man=no "$1" 2>&1', "sh", file], { encoding: "utf8" })).toBe("");
    await writeFile(file, text.replace("OOMPolicy=", "OOMPolcy=").replace("UMask=", "UMsk="));
    expect(execFileSync("sh", ["-c", 'systemd-analyze verify --man=no "$1" 2>&1', "sh", file], { encoding: "utf8" })).toContain("UMsk");
  });

  it("runs the process as nobody special, and again when it dies", () => {
    const name = type === "server" ? "server1.example.org" : "hospital-a";
    const { entries } = unitOf(type);
    expect(entries).toEqual(
      expect.arrayContaining([
        "User=flare",
        `ExecStart=/usr/bin/env flare ${type} start "/srv/flare/${name}"`,
        `SyslogIdentifier=flare-${name}`,
        "Restart=on-failure",
        "Environment=FLARE_WATCHED=on-failure",
        "RestartForceExitStatus=75",
        "NoNewPrivileges=yes",
        "UMask=0077",
      ]),
    );
  });

  it("keeps nothing from a process that computes on a GPU", () => {
    const { entries } = unitOf(type);
    const hides = /^(MemoryDenyWriteExecute|PrivateDevices|DevicePolicy|DeviceAllow|ProtectClock|ProcSubset|ProtectHome|SystemCallFilter)=/;
    expect(entries.filter((entry) => hides.test(entry))).toEqual([]);
    expect(entries.filter((entry) => entry.startsWith("ExecStartPre="))).toEqual([
      "ExecStartPre=-+/usr/bin/nvidia-smi -L",
      "ExecStartPre=-+/usr/bin/nvidia-modprobe -u -c 0",
    ]);
  });
});

it("only a server at a port below 1024 keeps a capability, and only the one for that", () => {
  expect(unitOf("client").entries).toContain("CapabilityBoundingSet=");
  expect(unitOf("server").entries).toEqual(
    expect.arrayContaining(["CapabilityBoundingSet=CAP_NET_BIND_SERVICE", "AmbientCapabilities=CAP_NET_BIND_SERVICE"]),
  );
});
