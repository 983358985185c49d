import { limits } from "@flare-ts/contracts/errors";
import { type Command } from "commander";
import { adminKitHelp } from "../../admin-kit/find-admin-kit.js";
import { studyFlags, withStudyFlags } from "../../admin-kit/study-flag.js";
import type { BindHandler } from "../../command-line/bind-handler.js";
import { examplesText } from "../../command-line/examples-text.js";
import { positiveSeconds, shortText, wholeNumber } from "../../command-line/number-arguments.js";
import { type RoundRange, roundRange } from "./round-range.js";

const exampleId = "3f0c9a52-6f0e-4e0a-9d2b-0f8f5a4a7b11";

const token = shortText(limits.submitTokenChars, 1);

/** Adds `flare job …`. */
export function addJobCommands(group: Command, bind: BindHandler): void {
  group.addHelpText("after", adminKitHelp);
  withStudyFlags(group.command("submit").description("check, sign and send a job folder; prints the job's id"))
    .requiredOption("-j, --job-folder <dir>", "the job: meta.json and its app folders")
    .option(
      "--submit-token <text>",
      "a name of your own for this submission: with it the same job may be submitted again, and is there once",
      token,
    )
    .addHelpText(
      "after",
      examplesText([
        ["submit", "flare job submit -j my_job"],
        ["submit and watch, in a script", 'flare job monitor "$(flare job submit -j my_job)"'],
        ["again, where nobody knows whether it went through", "flare job submit -j my_job --submit-token nightly-7"],
      ]),
    )
    .action(
      bind(
        async () => (await import("./submit-job.js")).submitJob,
        (_words, flags) => ({
          folder: flags["jobFolder"] as string,
          submitToken: flags["submitToken"] as string | undefined,
          ...studyFlags(flags),
        }),
      ),
    );
  withStudyFlags(group.command("list").description("list jobs, oldest first"))
    .option("-n, --name-prefix <text>", "only jobs whose name begins so")
    .option("-i, --id-prefix <text>", "only jobs whose id begins so")
    .option("--submit-token <text>", "only the job that you have submitted with this token", token)
    .option("-r, --reverse", "newest first")
    .option("-m, --max <n>", "so many at most", wholeNumber(1))
    .addHelpText("after", examplesText([["the five newest", "flare job list -r -m 5"]]))
    .action(
      bind(
        async () => (await import("./list-jobs.js")).listJobs,
        (_words, flags) => ({
          namePrefix: flags["namePrefix"] as string | undefined,
          idPrefix: flags["idPrefix"] as string | undefined,
          submitToken: flags["submitToken"] as string | undefined,
          isReversed: flags["reverse"] === true,
          limit: flags["max"] as number | undefined,
          ...studyFlags(flags),
        }),
      ),
    );
  withStudyFlags(group.command("meta").description("show one job: who submitted it and when, its sites, and how far they are"))
    .argument("<id>", "the job's id")
    .addHelpText("after", examplesText([["its status, for a script", `flare job meta ${exampleId} --format json`]]))
    .action(
      bind(
        async () => (await import("./job-meta.js")).jobMeta,
        ([jobId = ""], flags) => ({ jobId, ...studyFlags(flags) }),
      ),
    );
  withStudyFlags(
    group
      .command("monitor")
      .description("show a job's rounds and what came of evaluations, those past and then each as it comes, until the job ends"),
  )
    .argument("<id>", "the job's id")
    .addHelpText(
      "after",
      `${examplesText([
        ["on a terminal", `flare job monitor ${exampleId}`],
        ["each event as a line of JSON", `flare job monitor ${exampleId} --format jsonl`],
      ])}
Ctrl-C stops watching; the job goes on. Exit status 0 only if the job ends as FINISHED:COMPLETED.
`,
    )
    .action(
      bind(
        async () => (await import("./monitor-job.js")).monitorJob,
        ([jobId = ""], flags) => ({ jobId, ...studyFlags(flags) }),
      ),
    );
  withStudyFlags(group.command("wait").description("wait until a job is over, and say nothing before; for scripts"))
    .argument("<id>", "the job's id")
    .option("--timeout <seconds>", "no longer than this", positiveSeconds)
    .addHelpText(
      "after",
      `${examplesText([["the result, when it is there", `flare job wait ${exampleId} && flare job download ${exampleId}`]])}
Exit status 0 only if the job ended as FINISHED:COMPLETED, 3 where --timeout passed first; the job goes on then.
`,
    )
    .action(
      bind(
        async () => (await import("./wait-for-job.js")).waitForJob,
        ([jobId = ""], flags) => ({ jobId, timeoutSeconds: flags["timeout"] as number | undefined, ...studyFlags(flags) }),
      ),
    );
  withStudyFlags(
    group
      .command("download")
      .description("download the result of a job: its models, what sites found of them where they evaluated any, and receipts"),
  )
    .argument("<id>", "the job's id")
    .option("-o, --output <dir>", "folder in which a folder named by the job's id is made", ".")
    .option("--force", "replace a result that was downloaded before")
    .addHelpText("after", examplesText([["into results/<id>", `flare job download ${exampleId} -o results`]]))
    .action(
      bind(
        async () => (await import("./download-job.js")).downloadJob,
        ([jobId = ""], flags) => ({
          jobId,
          output: flags["output"] as string,
          isForced: flags["force"] === true,
          ...studyFlags(flags),
        }),
      ),
    );
  withStudyFlags(
    group
      .command("receipts")
      .description("show what the server stands for in each round, and check its signatures and that none is missing"),
  )
    .argument("<id>", "the job's id")
    .addHelpText("after", examplesText([["keep them", `flare job receipts ${exampleId} --format json > receipts.json`]]))
    .action(
      bind(
        async () => (await import("./job-receipts.js")).jobReceipts,
        ([jobId = ""], flags) => ({ jobId, ...studyFlags(flags) }),
      ),
    );
  withStudyFlags(group.command("trace").description("show where the time of a job's rounds went, site by site"))
    .argument("<id>", "the job's id")
    .option("--rounds <first-last>", "only these rounds, such as 3 or 0-9; the last ten are shown otherwise", roundRange)
    .option("--otlp <file>", "write the whole trace into a new file instead, as OpenTelemetry's collectors take it")
    .addHelpText(
      "after",
      examplesText([
        ["the last ten rounds", `flare job trace ${exampleId}`],
        ["for a collector", `flare job trace ${exampleId} --otlp trace.json`],
      ]),
    )
    .action(
      bind(
        async () => (await import("./job-trace.js")).jobTrace,
        ([jobId = ""], flags) => ({
          jobId,
          rounds: flags["rounds"] as RoundRange | undefined,
          otlpFile: flags["otlp"] as string | undefined,
          ...studyFlags(flags),
        }),
      ),
    );
  withStudyFlags(group.command("metrics").description("show what training scripts track: flare.log, SummaryWriter"))
    .argument("<id>", "the job's id")
    .option("-f, --follow", "go on until the job ends")
    .addHelpText("after", examplesText([["as lines of JSON while the job runs", `flare job metrics ${exampleId} -f --format jsonl`]]))
    .action(
      bind(
        async () => (await import("./job-metrics.js")).jobMetrics,
        ([jobId = ""], flags) => ({ jobId, isFollowing: flags["follow"] === true, ...studyFlags(flags) }),
      ),
    );
  withStudyFlags(group.command("logs").description("show log lines of a job, of the sites that let theirs be read"))
    .argument("<id>", "the job's id")
    .option("-f, --follow", "go on until the job ends")
    .option("--site <name>", "of this site only")
    .addHelpText(
      "after",
      `${examplesText([["what one site prints, as it comes", `flare job logs ${exampleId} -f --site hospital-1`]])}
A site's operator decides: "allow_log_streaming": true in local/resources.json. Lines of other sites stay where they are.
`,
    )
    .action(
      bind(
        async () => (await import("./job-logs.js")).jobLogs,
        ([jobId = ""], flags) => ({
          jobId,
          isFollowing: flags["follow"] === true,
          site: flags["site"] as string | undefined,
          ...studyFlags(flags),
        }),
      ),
    );
  withStudyFlags(group.command("clone").description("submit a job once more, with the same files; prints the new job's id"))
    .argument("<id>", "the job's id")
    .addHelpText("after", examplesText([["again, and watch", `flare job monitor "$(flare job clone ${exampleId})"`]]))
    .action(
      bind(
        async () => (await import("./clone-job.js")).cloneJob,
        ([jobId = ""], flags) => ({ jobId, ...studyFlags(flags) }),
      ),
    );
  withStudyFlags(
    group.command("delete").description("delete a job that is over, with its result, journal and logs; it cannot be taken back"),
  )
    .argument("<id>", "the job's id")
    .option("--force", "do not ask")
    .addHelpText("after", examplesText([["in a script", `flare job delete ${exampleId} --force`]]))
    .action(
      bind(
        async () => (await import("./delete-job.js")).deleteJob,
        ([jobId = ""], flags) => ({ jobId, isForced: flags["force"] === true, ...studyFlags(flags) }),
      ),
    );
  withStudyFlags(group.command("abort").description("end a job at the server and at all sites; it cannot be taken back"))
    .argument("<id>", "the job's id")
    .option("--reason <text>", "what the journal and the sites are told", shortText(limits.abortReasonChars))
    .option("--force", "do not ask")
    .addHelpText("after", examplesText([["in a script", `flare job abort ${exampleId} --force --reason 'wrong data set'`]]))
    .action(
      bind(
        async () => (await import("./abort-job.js")).abortJob,
        ([jobId = ""], flags) => ({
          jobId,
          reason: (flags["reason"] as string | undefined) ?? "",
          isForced: flags["force"] === true,
          ...studyFlags(flags),
        }),
      ),
    );
}
