import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { flareCommandPath } from "@flare-ts/cli";
import { createFederation } from "@flare-ts/testing";

/** Seconds of one start. */
export interface StartUp {
  /** From the start of the server's process until it listens. */
  readonly listening: number;
  /** From the start of both processes until the site is registered. */
  readonly registered: number;
}

/** Starts a server and a site at the same moment, through the command as an operator would, from fresh kits. */
export async function measureStartUp(): Promise<StartUp> {
  const federation = await createFederation({ sites: ["site-1"] });
  const children: ChildProcess[] = [];
  try {
    const start = performance.now();
    const run = (kind: "server" | "client", kit: string): ChildProcess => {
      const child = spawn(process.execPath, [flareCommandPath(), kind, "start", kit], { stdio: ["ignore", "pipe", "pipe"] });
      children.push(child);
      return child;
    };
    const listening = printed(run("server", federation.kitOf("server")), "listens on port").then(() => performance.now());
    const registered = printed(run("client", federation.kitOf("site-1")), "is connected").then(() => performance.now());
    return { listening: ((await listening) - start) / 1000, registered: ((await registered) - start) / 1000 };
  } finally {
    await Promise.all(
      children.map(async (child) => {
        if (child.exitCode !== null) return;
        const exited = once(child, "exit");
        child.kill("SIGTERM");
        await exited;
      }),
    );
    await federation.dispose();
  }
}

/** Resolves when a process has printed a text; goes on reading afterwards, because a closed pipe would end the process. */
async function printed(child: ChildProcess, text: string): Promise<void> {
  const { stdout, stderr } = child;
  if (stdout === null || stderr === null) throw new TypeError("the output of the process is not read");
  let output = "";
  stderr.setEncoding("utf8").on("data", (chunk: string) => {
    output += chunk;
  });
  await new Promise<void>((resolve, reject) => {
    stdout.setEncoding("utf8").on("data", (chunk: string) => {
      output += chunk;
      if (output.includes(text)) resolve();
    });
    child.once("close", () => reject(new Error(`the process ended before it printed '${text}':\n${output}`)));
  });
}
