import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { root, runCommand } from "./run-command.mjs";
import { workspaceFolders } from "./workspace-folders.mjs";

/**
 * Packages whose tests take long, the longest first: whoever is done takes the next one that nobody has taken, so that all end at about the
 * same time. The others, seconds each, come last.
 */
const longest = ["testing", "dashboard", "runtime", "dashboard-api", "cli", "aggregator", "provision", "python-client", "benchmarks"].map(
  (name) => `@flare-ts/${name}`,
);

/** Packages that are tested at a time. Three keep two processors busy: a test that starts processes waits for a third of its time. */
const width = 3;

/** Runs the tests of every package and prints the totals as the last line. Returns the exit status. */
export async function runTests(args) {
  const reports = workspaceFolders().map((folder) => ({ folder, path: join(root, folder, "coverage", "test-report.json") }));
  for (const { path } of reports) rmSync(path, { force: true });
  // Everything is built by now. Without --only, turbo would look at the build again and put its files in place anew, while
  // processes of other tests are loading them.
  const run = ["run", "test", "--only", "--continue", "--output-logs=new-only"];
  const statuses =
    args.length > 0
      ? [await runCommand("turbo", [...run, "--concurrency=2", ...args])]
      : await oneByOne(longestFirst(), width, (name) => runCommand("turbo", [...run, `--filter=${name}`]));
  const status = Math.max(...statuses);
  const totals = addUp(reports);
  for (const line of totals.failedNames) process.stdout.write(`failed: ${line}\n`);
  for (const line of totals.skippedNames) process.stdout.write(`skipped: ${line}\n`);
  if (totals.passed + totals.failed === 0) process.stdout.write("No test reported a result; the reason is above.\n");
  if (totals.skippedNames.length > 0) process.stdout.write(`${totals.skippedNames.length} skipped\n`);
  process.stdout.write(`${totals.passed} passed, ${totals.failed} failed\n`);
  if (status !== 0) return status;
  // A machine may lack what a test needs; the one that decides may not.
  if (totals.skippedNames.length > 0 && process.env.FLARE_NO_SKIPS === "1") return 1;
  return totals.passed === 0 || totals.failed > 0 ? 1 : 0;
}

/** Names of the packages that have tests, in the order in which they begin. */
function longestFirst() {
  const tested = workspaceFolders()
    .map((folder) => JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8")))
    .filter(({ scripts }) => scripts?.test !== undefined)
    .map(({ name }) => name);
  return [...longest.filter((name) => tested.includes(name)), ...tested.filter((name) => !longest.includes(name))];
}

/** Runs a command for each name, so many at a time, and gives their exit statuses. After a signal nothing more begins. */
async function oneByOne(names, count, command) {
  const waiting = [...names];
  const statuses = [];
  const work = async () => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
      const status = await command(name);
      statuses.push(status);
      if (status > 128) waiting.length = 0;
    }
  };
  await Promise.all(Array.from({ length: count }, work));
  return statuses;
}

/** @returns {{ passed: number, failed: number, failedNames: string[], skippedNames: string[] }} */
function addUp(reports) {
  /** @type {{ passed: number, failed: number, failedNames: string[], skippedNames: string[] }} */
  const totals = { passed: 0, failed: 0, failedNames: [], skippedNames: [] };
  for (const { folder, path } of reports) {
    let report;
    try {
      report = JSON.parse(readFileSync(path, "utf8"));
    } catch {
      continue;
    }
    for (const file of report.testResults) {
      if (file.status === "failed" && file.assertionResults.length === 0) {
        totals.failed++;
        totals.failedNames.push(`${folder}: ${file.name}: ${firstLines([file.message])}`);
      }
      for (const test of file.assertionResults) {
        const name = `${folder}: ${test.fullName}`;
        if (test.status === "passed") totals.passed++;
        else if (test.status === "failed") {
          totals.failed++;
          totals.failedNames.push(`${name}: ${firstLines(test.failureMessages)}`);
        } else totals.skippedNames.push(name);
      }
    }
  }
  return totals;
}

/** What went wrong and where, in one line: all that is left of a failure where only the end of a long log is kept. */
function firstLines(messages) {
  const lines = messages
    .join("\n")
    .split("\n")
    .map((line) => line.trim());
  const where = lines.find((line) => line.startsWith("at ") && !line.includes("node_modules")) ?? "";
  const what = lines.filter((line) => line !== "" && !line.startsWith("at ")).join(" ");
  return `${what.slice(0, 400)} ${where}`.trim();
}
