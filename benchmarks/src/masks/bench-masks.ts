import { randomBytes } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import {
  announceScale,
  fedAvg,
  type Mask,
  type MaskedFile,
  type MaskedRound,
  maskedBytes,
  maskUpdate,
  unmaskSums,
} from "@flare-ts/aggregator";
import { tensorBytes } from "../aggregate/layouts/float-dtype.ts";
import { layoutTensors } from "../aggregate/layouts/layouts.ts";
import { withTemporaryFolder } from "../aggregate/temporary-folder.ts";
import { writeUpdates } from "../aggregate/updates/write-updates.ts";
import { invalidArguments } from "../command-line/invalid-arguments.ts";
import { type OptionTable, optionLines, parseOptions } from "../command-line/parse-options.ts";
import { listOf, wholeNumber } from "../command-line/parse-values.ts";
import { gigabytesPerSecond, megabytes } from "../result/number-text.ts";
import { textColumns } from "../result/text-columns.ts";
import { secondsText, summarize } from "../statistics.ts";

const options = {
  params: { value: "<count>", about: "float32 parameters of the model, in 160 tensors [25e6]" },
  sites: { value: "<counts>", about: "sites of a round, separated by commas; each needs a masked file of 8 bytes a parameter [2,8,32]" },
  runs: { value: "<count>", about: "runs of each [3]" },
  folder: { value: "<folder>", about: "for the files [the system's folder for temporary files]" },
  help: { about: "prints this" },
} as const satisfies OptionTable<string>;

const usage = `usage: npm run bench -- masks [options]

Seconds that secure aggregation takes beside the aggregation itself: at a site, to mask its update from a file to a file, with a mask for
itself and one for each other site; at the server, to add the masked updates of all sites and take their own masks away.

${optionLines(options)}
`;

/** Measures masking and unmasking, and prints a table. @throws `cli/invalid-arguments`, `file/…` */
export async function benchMasks(args: readonly string[]): Promise<void> {
  const given = parseOptions(options, args);
  if (given.has("help")) {
    process.stdout.write(usage);
    return;
  }
  if (given.words[0] !== undefined) throw invalidArguments(`masks takes options only, not '${given.words[0]}'.`);
  const params = wholeNumber("--params", given.last("params") ?? "25e6");
  const runs = wholeNumber("--runs", given.last("runs") ?? "3");
  const counts = listOf("--sites", given.last("sites") ?? "2,8,32", (count) => wholeNumber("--sites", count));
  const tensors = layoutTensors("160", "float32", params);
  const rows: (readonly string[])[] = [];
  await withTemporaryFolder(given.last("folder"), async (folder, signal) => {
    const [model = "", source = ""] = await writeUpdates({ folder, tensors, dtype: "float32", count: 2, distinct: 2, signal });
    const maxWeight = 1000;
    const round = { model, paramsType: "FULL", scale: await announceScale({ model, maxWeight, signal }), maxWeight } as const;
    for (const sites of counts) rows.push(await measureRound(round, { source, sites, runs, folder, signal }));
  });
  const head = [
    "sites",
    "mask at a site",
    "of it CPU",
    "GB of masks per CPU s",
    "unmask at the server",
    "of it CPU",
    "GB of masks per CPU s",
  ];
  const size = megabytes(tensorBytes(tensors));
  process.stdout.write(`A model of ${size} MB, one thread at each.\n${textColumns([head, ...rows]).join("\n")}\n`);
  process.stdout.write("Medians (smallest–largest, number). As many masks as sites each time; files are not made durable.\n");
}

interface RoundInit {
  readonly source: string;
  readonly sites: number;
  readonly runs: number;
  readonly folder: string;
  readonly signal: AbortSignal;
}

async function measureRound(round: MaskedRound, { source, sites, runs, folder, signal }: RoundInit): Promise<readonly string[]> {
  const selves = Array.from({ length: sites }, (): Mask => ({ seed: randomBytes(32), sign: 1 }));
  const pairs = Array.from({ length: sites }, () => Array.from({ length: sites }, () => randomBytes(32)));
  const masksOf = (site: number): readonly Mask[] =>
    selves.map((self, other) => {
      if (other === site) return self;
      return { seed: pairs[Math.min(site, other)]?.[Math.max(site, other)] ?? new Uint8Array(0), sign: site < other ? 1 : -1 };
    });
  const mask = async (site: number): Promise<MaskedFile> => {
    const path = join(folder, `masked-${site}.safetensors`);
    const own = { source, contributor: `site-${site}`, weight: 10, masks: masksOf(site), outPath: path };
    await maskUpdate({ ...round, ...own, isDurable: false, signal });
    return { contributor: `site-${site}`, path };
  };
  const masking = await measure(runs, () => mask(0));
  const masked: MaskedFile[] = [];
  for (let site = 0; site < sites; site++) masked.push(await mask(site));
  const sums = { strategy: fedAvg(), masked, masks: selves, outPath: join(folder, "sums.safetensors") };
  const unmasking = await measure(runs, () => unmaskSums({ ...round, ...sums, isDurable: false, signal }));
  await Promise.all(masked.map(({ path }) => rm(path)));
  const bytes = sites * (await maskedBytes(round));
  return [`${sites}`, ...columns(masking, bytes), ...columns(unmasking, bytes)];
}

function columns({ wall, cpu }: Measured, bytes: number): readonly string[] {
  const used = summarize(cpu).median;
  return [secondsText(summarize(wall)), `${used.toFixed(3)} s`, gigabytesPerSecond(bytes, 1000 * used)];
}

/** Seconds of each run: on the clock, and of all threads of the process. */
interface Measured {
  readonly wall: readonly number[];
  readonly cpu: readonly number[];
}

async function measure(runs: number, run: () => Promise<unknown>): Promise<Measured> {
  const wall: number[] = [];
  const cpu: number[] = [];
  for (let i = 0; i < runs; i++) {
    const begun = performance.now();
    const before = process.cpuUsage();
    await run();
    const { user, system } = process.cpuUsage(before);
    wall.push((performance.now() - begun) / 1000);
    cpu.push((user + system) / 1e6);
  }
  return { wall, cpu };
}
