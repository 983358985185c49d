import { existsSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { runOnce } from "../aggregate/engine/run-once.ts";
import { tensorBytes } from "../aggregate/layouts/float-dtype.ts";
import { layoutTensors } from "../aggregate/layouts/layouts.ts";
import { withTemporaryFolder } from "../aggregate/temporary-folder.ts";
import { distinctFiles, writeUpdates } from "../aggregate/updates/write-updates.ts";
import { optionLines, parseOptions } from "../command-line/parse-options.ts";
import { gigabytesPerSecond, megabytes } from "../result/number-text.ts";
import { limitMemory, type MemoryGroup } from "./memory-group.ts";
import { type MemorySettings, memoryOptions, memorySettings } from "./memory-settings.ts";
import { watchMemory } from "./watch-memory.ts";

const usage = `usage: npm run bench -- memory [options]

Aggregates updates from files in a process of its own, under a limit on the memory of that process and all that it starts, and fails when
the limit is passed. The updates are two files and further names of them.

${optionLines(memoryOptions)}
`;

/** How often memory is looked at. */
const everyMs = 50;

/** Aggregates under a limit; the exit status is 1 when it is passed. @throws `cli/invalid-arguments`, `file/…` */
export async function benchMemory(args: readonly string[]): Promise<void> {
  const given = parseOptions(memoryOptions, args);
  if (given.has("help")) {
    process.stdout.write(usage);
    return;
  }
  const settings = memorySettings(given);
  if (!existsSync("/proc/self/smaps_rollup")) {
    process.stderr.write("This system does not tell the memory of processes in /proc/<pid>/smaps_rollup, as Linux does.\n");
    process.exitCode = 1;
    return;
  }
  const failure = await withTemporaryFolder(settings.folder, (folder, signal) => aggregateUnderLimit(settings, folder, signal));
  if (failure === undefined) return;
  process.stderr.write(`${failure}\n`);
  process.exitCode = 1;
}

/** Gives what went wrong, in a sentence, or `undefined`. */
async function aggregateUnderLimit(settings: MemorySettings, folder: string, signal: AbortSignal): Promise<string | undefined> {
  const { updates: count, layout, dtype, params, limitBytes, engine, mode, strategy, threads } = settings;
  const tensors = layoutTensors(layout, dtype, params);
  const updateBytes = tensorBytes(tensors);
  const distinct = await distinctFiles(folder, tensors, Math.min(2, count));
  process.stderr.write(`writing ${distinct} of ${count} updates of ${megabytes(updateBytes)} MB\n`);
  const files = await writeUpdates({ folder, tensors, dtype, count, distinct, signal });
  const tooMuch = new AbortController();
  const kept: { group?: MemoryGroup; watch?: ReturnType<typeof watchMemory>; reason?: string } = {};
  const request = {
    engine,
    mode,
    threads,
    strategy,
    model: files[0] ?? "",
    files,
    outPath: join(folder, "out.safetensors"),
  };
  try {
    const { answer, stderr } = await runOnce(request, {
      signal: AbortSignal.any([signal, tooMuch.signal]),
      onStart: async (pid) => {
        const limited = await limitMemory(pid, limitBytes);
        if ("reason" in limited) kept.reason = limited.reason;
        else kept.group = limited;
        process.stderr.write(`aggregating ${megabytes(count * updateBytes)} MB under a limit of ${megabytes(limitBytes)} MB\n`);
        kept.watch = watchMemory({ pid, everyMs, limitBytes, onExceeded: () => tooMuch.abort() });
      },
    });
    const memory = await kept.watch?.stop();
    const kills = (await kept.group?.kills()) ?? 0;
    if (kills > 0) return `The limit of ${megabytes(limitBytes)} MB was passed: the kernel ended ${kills} of the processes.`;
    if (answer === undefined) return `The aggregation failed: ${stderr}`;
    const how = kept.group === undefined ? `checked every ${everyMs} ms, because ${kept.reason ?? "it was not tried"}` : "kept by a cgroup";
    process.stdout.write(
      [
        `${count} updates of ${megabytes(updateBytes)} MB, ${strategy.name}, mode ${mode}: ${answer.engine}, ${answer.device}`,
        `${answer.seconds.toFixed(1)} s, ${gigabytesPerSecond(count * updateBytes, 1000 * answer.seconds)} GB/s of updates, once`,
        `memory: at most ${megabytes(memory?.peakBytes ?? 0)} MB of the limit of ${megabytes(limitBytes)} MB (PSS of all processes, ${memory?.samples ?? 0} looks; the limit was ${how})`,
        `kernels: ${megabytes(answer.kernelBytes)} MB`,
        `sha256 ${answer.sha256}`,
        "",
      ].join("\n"),
    );
    return undefined;
  } catch (cause) {
    const memory = await kept.watch?.stop();
    if (!tooMuch.signal.aborted) throw cause;
    return `The limit of ${megabytes(limitBytes)} MB was passed: ${megabytes(memory?.peakBytes ?? 0)} MB were taken, and the process was ended.`;
  } finally {
    await kept.group?.remove();
  }
}
