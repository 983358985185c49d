import { resolve } from "node:path";
import { FlareError, type Json } from "@flare-ts/contracts";
import type { PreflightCheck, PreflightCheckName } from "@flare-ts/runtime/preflight";
import type { CommandContext, CommandOutput } from "../../command-line/command-context.js";
import { tableLines } from "../../terminal/table.js";

/** What stands in the table for each check. */
const titles: Readonly<Record<PreflightCheckName, string>> = {
  kit: "kit",
  certificate: "certificate",
  settings: "settings",
  disk: "disk",
  listen: "own port",
  reach: "own name",
  proxy: "proxy",
  name: "name",
  port: "port",
  tls: "TLS",
  http2: "HTTP/2",
  clock: "clock",
  server: "server",
  bandwidth: "bandwidth",
};

/** Problems that leave a kit able to start, only to nobody. */
const ofConnection = new Set<PreflightCheckName>(["proxy", "name", "port", "tls", "http2", "clock", "server", "bandwidth"]);

/**
 * Looks at a kit and its surroundings.
 *
 * @throws FlareError `preflight/failed`, `preflight/no-connection`, each after all checks were told.
 */
export async function preflight(
  context: CommandContext,
  options: {
    readonly kit: string;
    readonly workspace: string | undefined;
    readonly modelBytes: number;
    readonly isClearAllowed: boolean;
  },
): Promise<CommandOutput> {
  const { terminal, cwd, signal, format } = context;
  const { runPreflight } = await import("@flare-ts/runtime/preflight");
  const done: PreflightCheck[] = [];
  const checks = await runPreflight({
    kitDir: resolve(cwd, options.kit),
    workspace: options.workspace === undefined ? undefined : resolve(cwd, options.workspace),
    modelBytes: options.modelBytes,
    isClearAllowed: options.isClearAllowed,
    signal,
    onCheck: (check) => {
      done.push(check);
      if (format === "txt") terminal.draw(done.map((one) => `${titles[one.name]}: ${one.outcome}`));
      else context.report({ event: "check", ...plain(check) }, "");
    },
  });
  terminal.draw([]);
  const text = linesOf(checks);
  const problems = checks.filter(({ outcome }) => outcome === "problem");
  const data = { kit: resolve(cwd, options.kit), checks: checks.map(plain) };
  if (problems.length === 0) return { data, text };
  if (format === "txt") for (const line of text) terminal.out(line);
  const code = problems.every(({ name }) => ofConnection.has(name)) ? "preflight/no-connection" : "preflight/failed";
  const named = problems.map(({ name }) => titles[name]).join(", ");
  throw new FlareError(code, `${problems.length} of ${checks.length} checks found a problem: ${named}.`, { facts: data });
}

function linesOf(checks: readonly PreflightCheck[]): readonly string[] {
  const rows = checks.map(({ name, outcome, found }) => [titles[name], outcome, found]);
  const todos = checks.flatMap(({ name, todo }) => (todo === undefined ? [] : [`${titles[name]}: ${todo}`]));
  return [
    ...tableLines([{ title: "CHECK" }, { title: "RESULT" }, { title: "FOUND" }], rows),
    ...(todos.length === 0 ? [] : ["", "What to do:", ...todos.map((line) => `  ${line}`)]),
  ];
}

function plain({ name, outcome, found, todo, code, facts }: PreflightCheck): { readonly [key: string]: Json } {
  return { name, outcome, found, todo: todo ?? null, code: code ?? null, facts };
}
