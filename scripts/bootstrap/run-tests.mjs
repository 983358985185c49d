import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { root, runCommand } from "./run-command.mjs";
import { workspaceFolders } from "./workspace-folders.mjs";

/** Packages whose tests take a third of the time, and others that take another; all that are not named take the last. */
const namedLanes = [
  ["@flare-ts/testing", "@flare-ts/python-client"],
  ["@flare-ts/dashboard", "@flare-ts/dashboard-api", "@flare-ts/cli"],
];

/** Runs the tests of every package and prints the totals as the last line. Returns the exit status. */
export async function runTests(args) {
  const reports = workspaceFolders().map((folder) => ({ folder, path: join(root, folder, "coverage", "test-report.json") }));
  for (const { path } of reports) rmSync(path, { force: true });
  // Everything is built by now. Without --only, turbo would look at the build again and put its files in place anew, while
  // processes of other tests are loading them.
  const run = ["run", "test", "--only", "--continue", "--output-logs=new-only"];
  // Lanes that take about as long: turbo alone may begin the longest one last, and leave a core idle for minutes. Three of them keep
  // two processors busy: a test that starts processes waits for a third of its time.
  const lanes =
    args.length > 0
      ? [["--concurrency=2", ...args]]
      : [...namedLanes.map((names) => names.map((name) => `--filter=${name}`)), namedLanes.flat().map((name) => `--filter=!${name}`)].map(
          (filters) => ["--concurrency=1", ...filters],
        );
  const statuses = await Promise.all(lanes.map((lane) => runCommand("turbo", [...run, ...lane])));
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
