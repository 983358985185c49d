import { type Command, InvalidArgumentError, Option } from "commander";
import type { BindHandler } from "../../command-line/bind-handler.js";
import { examplesText } from "../../command-line/examples-text.js";

/** Adds `flare preflight`. */
export function addPreflightCommand(command: Command, bind: BindHandler): void {
  command
    .requiredOption("-p, --kit <dir>", "the startup kit of a server, a site, a relay or an admin")
    .option("-w, --workspace <dir>", "folder that the participant will keep its state in (default: the kit)")
    .addOption(
      new Option("--model-size <size>", "size of a model for which room and time are looked at, such as 400MB")
        .argParser(modelBytes)
        .default(100_000_000, "100MB"),
    )
    .option("--allow-clear", "let a kit with connection_security clear speak to another machine")
    .addHelpText(
      "after",
      `${examplesText([
        ["whether a site can be started, and what a round will take", "flare preflight -p hospital-a --model-size 400MB"],
        ["by FLARE's name, for a script", "flare preflight-check -p hospital-a --format json"],
      ])}
Looks at the kit's files and their signatures, its certificate, its settings and the disk. For a server: whether its port can be
opened. For a site or an admin: the proxy in use, the server's name, its port, TLS and who signed what is shown there, HTTP/2, the
clock, whether the server proves itself and lets the participant in, and what the way carries. Nothing that runs is disturbed.
Exit status: 0 all is well (a warning may stand), 1 the kit cannot be started, 2 the server cannot be reached or does not let it in.
docs/networking.md explains proxies and firewalls.
`,
    )
    .action(
      bind(
        async () => (await import("./preflight.js")).preflight,
        (_words, flags) => ({
          kit: flags["kit"] as string,
          workspace: flags["workspace"] as string | undefined,
          modelBytes: flags["modelSize"] as number,
          isClearAllowed: flags["allowClear"] === true,
        }),
      ),
    );
}

const units: Readonly<Record<string, number>> = {
  B: 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KIB: 1024,
  MIB: 1024 ** 2,
  GIB: 1024 ** 3,
};

function modelBytes(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([kmg]?i?b)$/i.exec(text.trim());
  const unit = units[(match?.[2] ?? "").toUpperCase()];
  const bytes = Math.round(Number(match?.[1]) * (unit ?? Number.NaN));
  if (!Number.isSafeInteger(bytes) || bytes <= 0)
    throw new InvalidArgumentError("A size is written as a size such as 400MB, 1.5GB or 2GiB.");
  return bytes;
}
