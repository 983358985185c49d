import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { flareCommandPath } from "@flare-ts/cli";
import { CommandFailed } from "./flare-command.ts";

/** A dashboard that runs. */
export interface RunningDashboard {
  readonly url: string;
  /** Opens it for whoever comes first. */
  readonly setUpLink: string;
  stop(): Promise<void>;
}

export interface StartDashboardInit {
  /** Folder for its database; made when it is not there. */
  readonly data: string;
  /** Kit of the admin with which it watches the federation. */
  readonly adminKit: string;
  readonly port: number;
}

/** Starts the dashboard on this machine's own address. @throws CommandFailed with what it said */
export async function startDashboard({ data, adminKit, port }: StartDashboardInit): Promise<RunningDashboard> {
  const args = ["dashboard", "start", "--no-tls", "--port", String(port), "--data", data, "--kit", adminKit, "--format", "jsonl"];
  // In a group of its own: Ctrl-C reaches this process only, which then stops everything in order.
  const child = spawn(process.execPath, [flareCommandPath(), ...args], { stdio: ["ignore", "pipe", "pipe"], detached: true });
  const closed = once(child, "close");
  let messages = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    messages = (messages + text).slice(-10_000);
  });
  for await (const line of createInterface({ input: child.stdout })) {
    const { type, url, set_up_link: setUpLink } = JSON.parse(line) as { type?: string; url: string; set_up_link: string };
    if (type !== "started") continue;
    child.stdout.resume();
    return {
      url,
      setUpLink,
      stop: async () => {
        child.kill("SIGTERM");
        await closed;
      },
    };
  }
  await closed;
  throw new CommandFailed(`flare ${args.join(" ")} ended before it was ready.\n${messages}`);
}
