import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { bootstrapVariable } from "../client/protocol.js";

/** Program that kills each process with a given bootstrap file in its environment, and ends when there is none. */
const wanted = `${bootstrapVariable}=${process.argv[2] ?? ""}`;

for (let left = leftovers(); left.length > 0; left = leftovers()) {
  for (const pid of left) kill(pid);
  await delay(10);
}

function leftovers(): number[] {
  try {
    return readdirSync("/proc").filter(isLeftover).map(Number);
  } catch {
    return [];
  }
}

function isLeftover(name: string): boolean {
  try {
    // A process of another user cannot be read, and one that has ended has no environment.
    return /^[0-9]+$/.test(name) && readFileSync(`/proc/${name}/environ`, "utf8").split("\0").includes(wanted);
  } catch {
    return false;
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // Gone between the look and the signal.
  }
}
