import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { invalidArguments } from "../command-line/invalid-arguments.ts";
import { type OptionTable, optionLines, parseOptions } from "../command-line/parse-options.ts";
import { wholeNumber } from "../command-line/parse-values.ts";
import { textColumns } from "../result/text-columns.ts";
import { secondsText, summarize } from "../statistics.ts";
import { measureFiles } from "./measure-files.ts";
import { measureKeys } from "./measure-keys.ts";
import { measureProvision } from "./measure-provision.ts";

const options = {
  participants: { value: "<count>", about: "participants of the project [100]" },
  runs: { value: "<count>", about: "runs of each, in turns [5]" },
  help: { about: "prints this" },
} as const satisfies OptionTable<string>;

const usage = `usage: npm run bench -- provision [options]

Seconds to provision a project, with RSA-2048 beside the time that Node's own crypto takes to make as many keys in as many threads and
that the file system takes for as many empty kits, and with P-256.

${optionLines(options)}
`;

/** Measures provisioning and prints a table. @throws `cli/invalid-arguments` */
export async function benchProvision(args: readonly string[]): Promise<void> {
  const given = parseOptions(options, args);
  if (given.has("help")) {
    process.stdout.write(usage);
    return;
  }
  if (given.words[0] !== undefined) throw invalidArguments(`provision takes options only, not '${given.words[0]}'.`);
  const participants = wholeNumber("--participants", given.last("participants") ?? "100", { least: 3 });
  const runs = wholeNumber("--runs", given.last("runs") ?? "5");
  const measured = await measureInTurns(participants, runs);
  const rows = [
    ["", `${participants} participants`],
    ["as many RSA-2048 keys by Node's crypto", secondsText(summarize(measured.keys))],
    ["as many folders and files, written plainly", secondsText(summarize(measured.files))],
    ["provisioned with RSA-2048", secondsText(summarize(measured.rsa))],
    ["ratio to the keys", ratioText(measured.ratio)],
    ["ratio to keys and files", ratioText(measured.rest)],
    ["provisioned with P-256", secondsText(summarize(measured.p256))],
  ];
  process.stdout.write(`${textColumns(rows).join("\n")}\n`);
  process.stdout.write("Medians (smallest–largest, number). The time of a key is random: few runs say little about the ratio.\n");
}

type Measured = Readonly<Record<"keys" | "files" | "rsa" | "ratio" | "rest" | "p256", number[]>>;

async function measureInTurns(participants: number, runs: number): Promise<Measured> {
  const measured: Measured = { keys: [], files: [], rsa: [], ratio: [], rest: [], p256: [] };
  // All of it is removed at the end: ext4 looks past each file that was removed in the last minute before it makes another.
  const folder = await mkdtemp(join(tmpdir(), "flare-bench-"));
  try {
    for (let run = 0; run < runs; run++) {
      const keys = measureKeys(participants);
      const files = await measureFiles(participants, folder);
      const rsa = await measureProvision(participants, "rsa-2048", folder);
      measured.keys.push(keys);
      measured.files.push(files);
      measured.rsa.push(rsa);
      measured.ratio.push(rsa / keys);
      measured.rest.push(rsa / (keys + files));
      measured.p256.push(await measureProvision(participants, "p256", folder));
    }
    return measured;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function ratioText(ratios: readonly number[]): string {
  const { median, min, max, count } = summarize(ratios);
  return `${median.toFixed(2)} (${min.toFixed(2)}–${max.toFixed(2)}, n=${count})`;
}
