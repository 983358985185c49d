import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { createFederation, writeAddOneJob } from "@flare-ts/testing";
import { invalidArguments } from "../command-line/invalid-arguments.ts";
import { type OptionTable, optionLines, parseOptions } from "../command-line/parse-options.ts";
import { byteSize, wholeNumber } from "../command-line/parse-values.ts";
import { readEnvironment } from "../environment.ts";
import { textColumns } from "../result/text-columns.ts";
import { secondsText, summarize } from "../statistics.ts";
import { openBareStream } from "./bare-stream.ts";
import { measureFile } from "./measure-file.ts";
import { measureUpload } from "./measure-upload.ts";

const options = {
  size: { value: "<bytes>", about: "bytes of one upload, such as 1GB [1GB]" },
  runs: { value: "<count>", about: "uploads, and bare streams in turns with them [5]" },
  json: { about: "prints the figures as JSON instead of a table" },
  help: { about: "prints this" },
} as const satisfies OptionTable<string>;

const usage = `usage: npm run bench -- transfer [options]

Seconds of one upload of random bytes over mutual TLS on this machine, from its first byte until the server has it durable and verified,
beside a bare stream of grpc-js with the same messages and windows whose server counts them and throws them away, and beside as many bytes
that are only written to a new file there and made durable. Both servers are processes of their own; the three take turns. Keeps the
figures in benchmarks/results/transfer.json.

${optionLines(options)}
`;

const messageBytes = 1024 * 1024;

/** Measures uploads beside bare streams, prints a table and keeps the figures. @throws `cli/invalid-arguments` */
export async function benchTransfer(args: readonly string[]): Promise<void> {
  const given = parseOptions(options, args);
  if (given.has("help")) {
    process.stdout.write(usage);
    return;
  }
  if (given.words[0] !== undefined) throw invalidArguments(`transfer takes options only, not '${given.words[0]}'.`);
  const bytes = byteSize("--size", given.last("size") ?? "1GB");
  const runs = wholeNumber("--runs", given.last("runs") ?? "5");
  const environment = readEnvironment();
  const { uploads, streams, files } = await inTurns(bytes, runs);
  const ratios = uploads.map((upload, i) => (streams[i] ?? Number.NaN) / upload);
  const result = {
    benchmark: "transfer",
    environment,
    bytes,
    messageBytes,
    seconds: { upload: summarize(uploads), bareStream: summarize(streams), durableFile: summarize(files) },
    ratio: summarize(ratios),
    uploads,
    streams,
    files,
  };
  const folder = join(import.meta.dirname, "..", "..", "results");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "transfer.json"), `${JSON.stringify(result, undefined, 2)}\n`);
  process.stdout.write(given.has("json") ? `${JSON.stringify(result, undefined, 2)}\n` : tableOf(result));
}

interface Turns {
  readonly uploads: readonly number[];
  readonly streams: readonly number[];
  readonly files: readonly number[];
}

/** After one of each to warm up, uploads, bare streams and files alternate, so that what is compared stood side by side in time. */
async function inTurns(bytes: number, runs: number): Promise<Turns> {
  const federation = await createFederation({ sites: ["site-1"] });
  try {
    const jobFolder = join(federation.folder, "job");
    await writeAddOneJob({ folder: jobFolder, rounds: 1, minClients: 1 });
    await federation.start("server");
    const bare = await openBareStream({ server: federation.kitOf("server"), client: federation.adminKit });
    const admin = await federation.admin();
    const messages = Math.ceil(bytes / messageBytes);
    const uploads: number[] = [];
    const streams: number[] = [];
    const files: number[] = [];
    try {
      for (let run = -1; run < runs; run += 1) {
        const stream = await bare.measure(messages, messageBytes);
        const { upload } = await measureUpload(admin, jobFolder, bytes);
        const file = await measureFile(join(federation.folder, "written"), bytes);
        if (run < 0) continue;
        files.push(file);
        streams.push(stream);
        uploads.push(upload);
      }
    } finally {
      admin.close();
      await bare.close();
    }
    return { uploads, streams, files };
  } finally {
    await federation.dispose();
  }
}

function tableOf({
  bytes,
  seconds,
  ratio,
}: {
  readonly bytes: number;
  readonly seconds: { readonly upload: Figures; readonly bareStream: Figures; readonly durableFile: Figures };
  readonly ratio: Figures;
}): string {
  const rate = ({ median }: Figures): string => `${(bytes / 1e9 / median).toFixed(2)} GB/s`;
  const rows = [
    ["", "seconds", "rate"],
    ["upload, durable and verified", secondsText(seconds.upload), rate(seconds.upload)],
    ["bare stream, thrown away", secondsText(seconds.bareStream), rate(seconds.bareStream)],
    ["file, written and durable", secondsText(seconds.durableFile), rate(seconds.durableFile)],
  ];
  const percent = (value: number): string => `${(100 * value).toFixed(0)}%`;
  return `${textColumns(rows).join("\n")}\nrate of the upload, of the bare stream before it: ${percent(ratio.median)} (${percent(ratio.min)}–${percent(ratio.max)}, n=${ratio.count})\n`;
}

type Figures = ReturnType<typeof summarize>;
