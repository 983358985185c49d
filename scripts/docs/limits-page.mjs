/** The text of docs/limits.md: every limit with its value and what happens at it. */
export function limitsPage(limits) {
  const missing = Object.keys(limits).filter((name) => consequences[name] === undefined);
  if (missing.length > 0) throw new Error(`scripts/docs/limits-page.mjs does not say what happens at ${missing.join(", ")}`);
  const gone = Object.keys(consequences).filter((name) => limits[name] === undefined);
  if (gone.length > 0) throw new Error(`scripts/docs/limits-page.mjs speaks of limits that there are not: ${gone.join(", ")}`);
  const rows = Object.entries(limits).map(([name, value]) => {
    const [what, happens] = consequences[name];
    return `| \`${name}\` | ${valueText(name, value)} | ${what} | ${happens} |`;
  });
  return `<!-- Made by scripts/generate-docs.mjs from packages/contracts/src/limits.ts. Do not edit. -->

# Limits

Nothing in FLARE-TS grows without bound. These are the bounds, and what happens at each. They stand in
\`packages/contracts/src/limits.ts\`; every part of the software reads them from there.

| name | value | what it bounds | what happens at it |
| --- | --- | --- | --- |
${rows.join("\n")}

## Times that are no settings

What makes no progress is given up after one time that the operator chooses, \`stall_timeout\` (see [operate a site](operate-a-site.md#progress-not-time-outs)).
Every other time in the runtime is one of these. None has to be tuned to another, to a model or to a line.

| time | why it is not the stall time |
| --- | --- |
| \`heartbeatMs\`, \`silenceMs\`, \`registrationMs\`, \`tokenMs\`, \`adminIdleMs\`; 20 s for a TLS handshake, 45 s for a proxy to open a tunnel, 1 s for a farewell | protocol constants: both sides rely on them, and what runs into them is tried again without loss |
| \`silenceMs\` for a second upload of the same bytes | not a time after which something ends: the second takes over from one that does not move |
| \`reconnectFirstMs\` to \`reconnectMaxMs\`; 5 s until a full disk is looked at again, a renewal of a token or the end of a job tried again; 50 ms to 5 s until a job process is started again | waits between attempts; nothing is given up |
| 15 s to stop a part of a process, 5 s for a job process, 2 s for calls under way, half a second for a last word; \`--timeout\` of \`stop\`; 90 s in the unit for systemd | an order to stop has come: what is durable goes on at the next start |
| \`stop_grace_period\` of an executor | the same for a trainer |
| \`launch_timeout\` and \`attach_timeout\` of an executor | nothing can be heard of a trainer before it speaks; without them the stall time counts |
| \`train_timeout\` and \`wait_time_after_min_received\` of FedAvg | a researcher's choice of who is waited for; without them it is measured |
| 1 s for sites to confirm a trust list | the answer to the admin says which sites had by then; the list goes on its way |
| 10 min between looks at the issuing certificate | nothing waits for it |
| 10 s for a process in the background to be ready, 30 s for a proof of concept (\`--timeout\`) | a command stops watching; what it started goes on |
| 10 to 15 s for each step of \`flare preflight\`, 30 to 120 s to try a GPU | a question that somebody waits for |
`;
}

const consequences = {
  chunkBytes: ["one message of a transfer", "a larger one is refused and the transfer ends; senders never make one"],
  http2WindowBytes: [
    "bytes under way without an answer, for a stream and for a connection",
    "the sender waits; it is what makes a transfer fast over a long line",
  ],
  uploadWindowsBytes: [
    "the same for all connections together on which something is uploaded to a server: what has come in and was not read yet",
    "each has its share: over a line of 100 ms all together send 80 MB/s at most",
  ],
  idleWindowBytes: ["the same for one connection, at least, and where nothing is uploaded", "the sender waits"],
  chunkRunBytes: [
    "what one message of a transfer may stand for without holding it: zeros, or bytes that the receiver has",
    "a message that stands for more is refused and the transfer ends; senders make several",
  ],
  sharedChunkBytes: [
    "pieces of a model that the server keeps in memory while several sites fetch it",
    "the oldest goes; a site that lags behind reads from disk",
  ],
  chunksUnderWayBytes: [
    "chunks of all uploads that the server is writing, and as many of all downloads that it is sending; up to 4 MiB for each",
    "each has less, down to one chunk, which does not wait for the others",
  ],
  probeBytes: ["bytes of one measurement of the way to the server, in each direction", "the measurement ends with an error"],
  controlMessageBytes: ["one message of the control plane", "the call is refused; of models only small ones travel in such messages"],
  inlineBytes: [
    "a model or an update that travels inside a message of the control plane",
    "a larger one is a transfer of its own; a server refuses a message with one",
  ],
  spareFileBytes: [
    "files of the store whose objects nobody needs any more, kept to be written over",
    "more of them are removed; all of them when the disk or `--max-disk` has no room",
  ],
  spareFileMs: ["how long they are kept when nobody takes one", "they are removed"],
  abortReasonChars: ["what an admin says of why a job is aborted", "a longer one is refused, and the job goes on"],
  submitTokenChars: ["a token of whoever submits a job", "a longer one is refused, and nothing is submitted"],
  jobsPerPage: ["jobs of a list in one answer of the server", "the rest is asked for, page by page"],
  abandonedUploadMs: [
    "how long a server keeps what somebody has begun to upload, or has uploaded for a job that was not submitted or is over",
    "it is removed; whoever goes on after that sends it anew",
  ],
  checkpointBytes: ["bytes of an upload that a crash can cost", "everything so far is made durable; an upload goes on from there"],
  safetensorsHeaderBytes: ["header of a model file", "the model is refused"],
  tensorsPerModel: ["tensors in a model", "the model is refused"],
  documentBytes: ["a file that a person writes", "the file is refused before it is parsed"],
  includedFiles: ["files that a project file includes, and those that they include", "the project file is refused"],
  contributors: ["contributors of one aggregation, those behind sums included", "the next update is refused"],
  comparedContributors: [
    "contributors under a strategy that measures distances between updates",
    "the strategy does not combine them; the session stays open",
  ],
  comparedByKernels: ["updates whose distances are measured by kernels", "plain JavaScript measures them, slower"],
  engineThreads: ["threads of one aggregation engine", "more are refused"],
  int8BlockLeast: ["elements that share a scale in a compressed update, at least", "fewer, or no power of two, are refused"],
  int8BlockMost: ["the same, at most", "more are refused"],
  privacyScopes: ["scopes of a site's privacy policy", "the site does not start, with the line of the file"],
  topKElements: ["elements of a tensor that is compressed to its largest ones", "`compressUpdate` refuses the update"],
  webgpuTileElements: [
    "values of all updates that go to a GPU at once, by WebGPU",
    "there are more tiles; where no memory is left, smaller ones",
  ],
  tfjsTileElements: ["the same, by TensorFlow.js", "the same"],
  jobFiles: ["files in a job", "the job is refused when it is submitted"],
  jobFileBytes: ["one file in a job", "the job is refused when it is submitted"],
  signedJobBytes: ["the signed list of a job's files", "the job is refused"],
  chainCertificates: ["certificates that a participant shows, its own first", "the participant is refused"],
  chainBytes: ["the file or message that holds certificates", "it is refused before it is parsed"],
  trustedRoots: ["roots that a project trusts side by side", "the kit or the trust list is refused"],
  trustListBytes: ["a trust list with its signatures", "it is refused before it is parsed"],
  studies: ["studies of a project", "the next is refused; a file with more is not read"],
  pocSites: ["sites of `flare poc prepare -n` and of `flare simulator -n`", "more are refused"],
  relays: ["relays that are connected to a server", "the next is refused and goes on trying"],
  relayConnectionsOfSite: ["connections of one site at a relay", "the next is closed; the site tries again"],
  studyMembers: ["sites of one organisation in a study, and its users", "the next is refused; a file with more is not read"],
  renewalsPerLife: [
    "certificates that a participant is given by renewal within the life of one",
    "the next is refused for a while; the participant asks again by itself",
  ],
  peerTextChars: ["text of a peer in a log line or an error", "the rest is cut off"],
  taskSpans: ["phases of one task that a site tells apart", "time counts for the phase that came last"],
  reportChars: ["metrics or further properties of an update", "the update is refused and its task fails at that site"],
  statisticsBytes: ["statistics of a site in one pass", "the task fails at that site"],
  statisticsFeatures: ["features of all data sets in them", "the task fails at that site"],
  statisticsBins: ["bins of a histogram, and centroids of a digest of quantiles", "the task fails at that site"],
  psiItems: ["identifiers that a site puts into a private set intersection", "the task fails at that site"],
  reportedErrorChars: ["an error that a site reports", "its code and message are kept, the rest is cut off"],
  outputBatchBytes: ["metrics and log lines of a job in one message of a site", "the rest comes with the next message"],
  outputWaitingBytes: [
    "metrics and log lines that wait at a site",
    "log lines are read no further until there is room; metrics beyond it are dropped and counted",
  ],
  outputPauseMs: ["time between two messages with metrics and log lines of a job at a site", "the next one waits"],
  logLineChars: ["a log line", "its rest is left out"],
  trainerLogBytes: [
    "`trainer.log` of a job at a site",
    "what it holds goes to `trainer.log.1`, in the place of what was there, and it begins anew; looked at every second",
  ],
  jobLogBytes: ["log lines that the server keeps of a job", "the oldest go first"],
  jobMetricsBytes: ["tracked metrics that the server keeps of a job", "the oldest go first"],
  unreadMessages: ["messages that a site has not taken", "the site is disconnected; it dials again and is told the state anew"],
  rememberedCommands: [
    "commands of a session that are remembered one by one",
    "an older one that comes again is told by its time of signing",
  ],
  registrationMs: ["time for the two steps of registration", "the challenge is forgotten; the participant begins again"],
  challengesPerSecond: [
    "registrations that begin in a second, where TLS ends at a proxy",
    "the next is refused for a moment; sessions that are open go on",
  ],
  refusalsTold: [
    "refusals of strangers in a minute that `log.txt` and `audit.log` tell one by one",
    "what is beyond is counted, and one line a minute says how many of each kind",
  ],
  refusalsToldOfAddress: ["the same from one address", "the same"],
  overtakingCalls: ["calls of a session that overtake an earlier one, where TLS ends at a proxy", "the earlier one is refused"],
  adminIdleMs: ["silence of an admin's session, where TLS ends at a proxy", "the session ends; the next command opens another by itself"],
  tokenMs: ["life of a session's token", "the participant registers again; nothing that is under way is lost"],
  heartbeatMs: ["silence of a site, or of a trainer, that is well", "a heartbeat is sent"],
  silenceMs: ["silence on a control stream", "the stream is taken for dead; the site dials again and goes on where it was"],
  stallMs: [
    "time without progress of a transfer, a training step or a site's task, unless `stall_timeout` says otherwise",
    "the transfer is broken off and goes on from where it was; the trainer is ended and started again; the round goes on without the site",
  ],
  reconnectFirstMs: ["first wait before a site dials again", "it dials; the wait grows, with jitter, up to `reconnectMaxMs`"],
  disabledRetryMs: [
    "longest wait before a site that was [disabled](operate-a-site.md#keep-a-site-out-for-a-while) asks again",
    "it asks; one that was enabled is back within this time",
  ],
  reconnectMaxMs: ["longest wait before a site dials again", "it dials; a server that comes back is found within this time"],
  restarts: [
    "deaths of one job process in a row, without anything done in between",
    "the process is given up: at a site the site leaves the job, at the server the job ends",
  ],
  dashboardBodyBytes: ["the body of a request to the dashboard that is no upload", "the request is refused before it is read"],
  dashboardRequests: ["requests to the dashboard from one network address in a minute", "the next is refused with how long to wait"],
  dashboardOpenChanges: [
    "sign-ins, sign-ups and resets from one network address in a minute",
    "the next is refused with how long to wait; people who are signed in go on",
  ],
  waitingPasswords: ["passwords that wait to be checked", "the next is refused with how long to wait"],
};

function valueText(name, value) {
  if (name.endsWith("Bytes")) return value % 1048576 === 0 ? `${value / 1048576} MiB` : `${value.toLocaleString("en-US")} bytes`;
  if (name.endsWith("Ms")) return value % 60_000 === 0 ? `${value / 60_000} min` : `${value / 1000} s`;
  return value.toLocaleString("en-US");
}
