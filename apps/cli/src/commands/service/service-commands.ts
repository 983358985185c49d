import { type Command, Option } from "commander";
import type { BindHandler } from "../../command-line/bind-handler.js";
import { examplesText } from "../../command-line/examples-text.js";
import { byteSize, positiveSeconds, wholeNumber } from "../../command-line/number-arguments.js";
import { type ServiceKind, serviceWord } from "./service-kind.js";

/** Adds `flare server …`. */
export function addServerCommands(group: Command, bind: BindHandler): void {
  addServiceCommands(group, bind, "server", "acme/prod_00/fl-server");
}

/** Adds `flare client …`. */
export function addClientCommands(group: Command, bind: BindHandler): void {
  addServiceCommands(group, bind, "client", "acme/prod_00/hospital-1");
}

/** Adds `flare relay …`. */
export function addRelayCommands(group: Command, bind: BindHandler): void {
  addServiceCommands(group, bind, "relay", "acme/prod_00/relay-1");
}

const startTexts: Readonly<Record<ServiceKind, string>> = {
  server: "run the server in the foreground: one port for sites and admins, jobs, store",
  client: "run a site in the foreground: it dials the server, nothing dials it",
  relay: "run a relay in the foreground: sites and other relays dial it, and it dials what is above",
};

/** Seconds that `stop` waits for a process to drain, by default. */
const stopSeconds = 60;

function addServiceCommands(group: Command, bind: BindHandler, kind: ServiceKind, exampleKit: string): void {
  const word = serviceWord(kind);
  const start = group
    .command("start")
    .description(startTexts[kind])
    .argument("<kit>", "folder of the startup kit (the one with startup/ and local/ in it)")
    .option("--daemon", "run in the background and return when the process has started")
    .addOption(new Option("--workspace <dir>", "folder for state and logs, where the kit must not be written").conflicts("daemon"))
    .addHelpText(
      "after",
      `${examplesText([
        [`run the ${word} and see its log; Ctrl-C stops it in good order`, `flare ${kind} start ${exampleKit}`],
        ["the same in the background", `flare ${kind} start ${exampleKit} --daemon`],
      ])}
Every file in startup/ is checked against the project's signature before anything else happens.
A ${word} that a first Ctrl-C or SIGTERM stopped in good order exits with 0; a second one ends it at once with 130 or 143.
${kind === "relay" ? "A relay keeps nothing of what it carries: those below it come back and go on." : "What was accepted is on disk in either case, and the next start goes on from there."}
`,
    );
  if (kind !== "relay") addLoadOptions(start, kind, word);
  start.option("--allow-clear", "with connection_security clear, let clear text leave this machine; FLARE_ALLOW_CLEAR=1 does the same");
  if (kind !== "client") {
    start.option("--host <address>", "listen on this address only (default: all; with connection_security clear, this machine's own)");
    start.addOption(new Option("--port <number>", "listen here instead of the port in the kit").argParser(wholeNumber(0, 65_535)));
  }
  start.action(
    bind(
      async () => (await import("./start-service.js")).startService,
      ([kit = ""], flags) => ({
        kind,
        kit,
        isDaemon: flags["daemon"] === true,
        workspace: flags["workspace"] as string | undefined,
        port: flags["port"] as number | undefined,
        host: flags["host"] as string | undefined,
        isClearAllowed: flags["allowClear"] === true,
        maxMemoryBytes: flags["maxMemory"] as number | undefined,
        maxDiskBytes: flags["maxDisk"] as number | undefined,
        stallSeconds: flags["stallTimeout"] as number | undefined,
      }),
    ),
  );
  group
    .command("stop")
    .description(`stop a ${word} that runs in the background; it drains first`)
    .argument("<kit>", "folder of the startup kit")
    .option("--timeout <seconds>", "wait so long for it to drain", positiveSeconds, stopSeconds)
    .addHelpText("after", examplesText([[`stop the ${word}; harmless when it does not run`, `flare ${kind} stop ${exampleKit}`]]))
    .action(
      bind(
        async () => (await import("./stop-service.js")).stopService,
        ([kit = ""], flags) => ({ kind, kit, timeoutMs: (flags["timeout"] as number) * 1000 }),
      ),
    );
  group
    .command("status")
    .description(`say whether a ${word} runs in the background`)
    .argument("<kit>", "folder of the startup kit")
    .addHelpText("after", examplesText([["for a script", `flare ${kind} status ${exampleKit} --format json`]]))
    .action(
      bind(
        async () => (await import("./service-status.js")).serviceStatus,
        ([kit = ""]) => ({ kind, kit }),
      ),
    );
}

/** What a process may hold, and how long it waits: a relay holds nothing. */
function addLoadOptions(start: Command, kind: ServiceKind, word: string): void {
  start.addOption(
    new Option(
      "--stall-timeout <seconds>",
      "give up what makes no progress for so long (default: stall_timeout of local/resources.json, else 600)",
    ).argParser(positiveSeconds),
  );
  start.option(
    "--max-memory <size>",
    `memory that all processes of the ${word} may hold${kind === "server" ? "" : " beside its trainers"}, such as 512MiB; what goes beyond it waits`,
    byteSize,
  );
  start.option("--max-disk <size>", "what its folder may hold, such as 10GiB; what goes beyond it waits", byteSize);
}
