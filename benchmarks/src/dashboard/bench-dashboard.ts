import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { apiPrefix, createApiClient, setUp, streamEvents } from "@flare-ts/dashboard-api/contract";
import { withTemporaryFolder } from "../aggregate/temporary-folder.ts";
import { BenchError } from "../command-line/bench-error.ts";
import { optionLines, parseOptions } from "../command-line/parse-options.ts";
import { wholeNumber } from "../command-line/parse-values.ts";
import { megabytes } from "../result/number-text.ts";
import { type FirstLook, firstLooks, pageFolder } from "./first-look.ts";

const options = {
  sites: { value: "<n>", about: "sites that are connected (64)" },
  jobs: { value: "<n>", about: "jobs that run on all of them (5)" },
  streams: { value: "<n>", about: "pages that listen (1)" },
  seconds: { value: "<n>", about: "time that is measured (20)" },
  looks: { value: "<n>", about: "first looks at the page in Chromium, with an empty cache (5; 0 for none)" },
  interactive: { value: "<ms>", about: "fails when the middle one takes longer until the page answers (1000)" },
  limit: { value: "<percent>", about: "fails when the dashboard takes more of a core (5)" },
  help: { about: "says this" },
} as const;

const usage = `usage: npm run bench -- dashboard [options]

Measures what share of a core the dashboard takes for live views of a busy federation. The federation is synthetic, at the dashboard's seam
to the server; the dashboard is a real one in a process of its own, and pages listen over HTTP. Then it measures how soon a person can use
the page: from the start of the navigation, in a browser that never saw it, with a server that is warm.

${optionLines(options)}
`;

/** How long the federation runs before it is measured: code is compiled, caches are warm. */
const warmUpMs = 5_000;

interface Measured {
  readonly cpuMs: number;
  readonly wallMs: number;
  readonly memoryBytes: number;
}

/** Measures the dashboard's live views; the exit status is 1 when they take more than the limit. @throws `cli/invalid-arguments` */
export async function benchDashboard(args: readonly string[]): Promise<void> {
  const given = parseOptions(options, args);
  if (given.has("help")) {
    process.stdout.write(usage);
    return;
  }
  const number = (name: "sites" | "jobs" | "streams" | "seconds" | "limit" | "looks" | "interactive", usual: number): number =>
    given.has(name) ? wholeNumber(`--${name}`, given.last(name) ?? "") : usual;
  const load = { sites: number("sites", 64), jobs: number("jobs", 5), streams: number("streams", 1) };
  const [seconds, limit] = [number("seconds", 20), number("limit", 5)];
  const [count, mostMs] = [number("looks", 5), number("interactive", 1000)];
  const { measured, bytes, events, looks } = await withTemporaryFolder(undefined, async (folder) => measure(folder, load, seconds, count));
  const share = (100 * measured.cpuMs) / measured.wallMs;
  process.stdout.write(
    [
      `${load.sites} sites, ${load.jobs} jobs, ${load.streams} stream(s), ${(measured.wallMs / 1000).toFixed(1)} s`,
      `${share.toFixed(2)}% of a core, ${megabytes(measured.memoryBytes)} MB of memory`,
      `${(events / seconds / load.streams).toFixed(1)} events and ${(bytes / seconds / load.streams / 1000).toFixed(0)} kB a second for each stream`,
      ...lookLines(looks),
      "",
    ].join("\n"),
  );
  if (share > limit) fail(`The limit of ${limit}% of a core was passed.`);
  if (looks.length > 0 && middle(looks.map(({ interactiveMs }) => interactiveMs)) > mostMs) {
    fail(`The page took longer than ${mostMs} ms until it answered.`);
  }
}

function fail(message: string): void {
  process.stderr.write(`${message}\n`);
  process.exitCode = 1;
}

function lookLines(looks: readonly FirstLook[]): readonly string[] {
  const [first] = looks;
  if (first === undefined) return [];
  const ms = (of: (look: FirstLook) => number): string => {
    const all = looks.map(of);
    return `${middle(all).toFixed(0)} ms (${Math.min(...all).toFixed(0)} to ${Math.max(...all).toFixed(0)})`;
  };
  return [
    `first look: content after ${ms(({ contentMs }) => contentMs)}, answers input after ${ms(({ interactiveMs }) => interactiveMs)}, its thread worked ${ms(({ workMs }) => workMs)}, ${looks.length} looks`,
    `${first.requests} requests, ${(first.transferredBytes / 1000).toFixed(0)} kB over the wire; ${first.scripts} scripts of ${(first.gzippedScriptBytes / 1000).toFixed(0)} kB by gzip`,
  ];
}

function middle(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

async function measure(
  folder: string,
  load: { readonly sites: number; readonly jobs: number; readonly streams: number },
  seconds: number,
  lookCount: number,
): Promise<{ readonly measured: Measured; readonly bytes: number; readonly events: number; readonly looks: readonly FirstLook[] }> {
  const program = fileURLToPath(new URL("dashboard-process.ts", import.meta.url));
  const child = fork(program, [folder, String(load.sites), String(load.jobs), ...(lookCount > 0 ? [pageFolder] : [])]);
  const counted = { bytes: 0, events: 0 };
  const stop = new AbortController();
  try {
    const { url, setUpLink } = await told<{ url: string; setUpLink: string }>(child);
    const cookie = await signIn(url, setUpLink);
    const reading = Array.from({ length: load.streams }, () =>
      listen(`${url}${apiPrefix}${streamEvents.path}`, cookie, stop.signal, counted),
    );
    await sleep(warmUpMs);
    Object.assign(counted, { bytes: 0, events: 0 });
    child.send("begin");
    await sleep(1000 * seconds);
    const { bytes, events } = counted;
    child.send("end");
    const measured = await told<Measured>(child);
    stop.abort();
    await Promise.all(reading);
    const looks = lookCount > 0 ? await firstLooks(url, cookie, lookCount) : [];
    if (events === 0) throw new BenchError("No event came over the streams.");
    return { measured, bytes, events, looks };
  } finally {
    stop.abort();
    const over = once(child, "exit");
    if (child.connected) child.send("stop");
    else child.kill();
    await over;
  }
}

/** Becomes the project admin of a fresh dashboard, and gives the session's cookie. */
async function signIn(url: string, setUpLink: string): Promise<string> {
  let cookie = "";
  const keepCookie: typeof fetch = async (input, init) => {
    const response = await fetch(input, init);
    cookie = response.headers.getSetCookie()[0]?.split(";")[0] ?? cookie;
    return response;
  };
  await createApiClient({ baseUrl: url, fetch: keepCookie }).call(setUp, {
    body: {
      token: new URL(setUpLink).hash.slice(1),
      name: "Bench",
      email: "bench@example.org",
      organization: "bench",
      password: "a phrase that nobody guesses 7",
    },
  });
  return cookie;
}

async function listen(url: string, cookie: string, signal: AbortSignal, counted: { bytes: number; events: number }): Promise<void> {
  const response = await fetch(url, { headers: { cookie }, signal });
  if (!response.ok) throw new BenchError(`The stream of events answered with status ${response.status}.`);
  try {
    for await (const chunk of response.body ?? []) {
      counted.bytes += chunk.length;
      counted.events += Buffer.from(chunk).toString("latin1").split("\nevent: ").length - 1;
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

async function told<T>(child: ChildProcess): Promise<T> {
  const [message] = (await Promise.race([
    once(child, "message"),
    once(child, "exit").then(() => {
      throw new BenchError("The dashboard ended before it was measured.");
    }),
  ])) as [T];
  return message;
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
