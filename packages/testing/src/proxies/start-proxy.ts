import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { findProgram, type ProxyProgram } from "./lacked-proxies.js";

/** A proxy that runs in a process of its own, from a configuration in a temporary folder. */
export interface ProxyProcess {
  readonly port: number;
  /** What it wrote so far: its output, and `proxy.log` in its folder. */
  log(): Promise<string>;
  /** Ends it at once, with every connection through it, and removes its folder. */
  stop(): Promise<void>;
}

export interface StartProxyInit {
  readonly program: ProxyProgram;
  /** Makes the configuration; whatever it names lies in the folder. */
  readonly configuration: (folder: string) => string | Promise<string>;
  /** Where it listens by that configuration, on loopback. */
  readonly port: number;
}

const readyMs = 15_000;

/** Starts a proxy and resolves when it takes connections. @throws Error with its output when it ends before. */
export async function startProxy({ program, configuration, port }: StartProxyInit): Promise<ProxyProcess> {
  const path = findProgram(program);
  if (path === undefined) throw new Error(`${program} is not installed`);
  const folder = await mkdtemp(join(tmpdir(), `flare-${program}-`));
  // Its workers run as another user and write their log here.
  await chmod(folder, 0o777);
  const file = join(folder, `${program}.conf`);
  await writeFile(file, await configuration(folder));
  const child = spawn(path, argumentsOf(program, file), { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
  }
  const closed = once(child, "close");
  const isOver = (): boolean => child.exitCode !== null || child.signalCode !== null;
  const log = async (): Promise<string> => `${output}${await readFile(join(folder, "proxy.log"), "utf8").catch(() => "")}`;
  const stop = async (): Promise<void> => {
    if (!isOver()) child.kill("SIGTERM");
    await closed;
    await rm(folder, { recursive: true, force: true });
  };
  const deadline = performance.now() + readyMs;
  while (!(await takesConnections(port))) {
    if (!isOver() && performance.now() < deadline) {
      await sleep(20);
      continue;
    }
    const said = await log();
    await stop();
    throw new Error(`${program} does not take connections on port ${port}: ${said}`);
  }
  return { port, log, stop };
}

function argumentsOf(program: ProxyProgram, file: string): readonly string[] {
  if (program === "nginx") return ["-e", "stderr", "-c", file, "-g", "daemon off;"];
  return program === "haproxy" ? ["-db", "-f", file] : ["-d", "-c", file];
}

async function takesConnections(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
