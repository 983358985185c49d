/** Every limit of the system; `docs/limits.md` says what happens at each. Bytes unless the name says otherwise. */
export const limits = Object.freeze({
  /** Payload of one message on a transfer stream. */
  chunkBytes: 1024 * 1024,
  /** Bytes that one message may stand for without holding them: a run of zeros, or of bytes that the receiver has. */
  chunkRunBytes: 64 * 1024 * 1024,
  /** Chunks of all uploads that a server writes at a time, and as many again of all downloads that it sends. */
  chunksUnderWayBytes: 4 * 1024 * 1024,
  /** Chunks of objects that go to several receivers at a time, kept to be read from disk once. */
  sharedChunkBytes: 8 * 1024 * 1024,
  /** HTTP/2 window for a stream and for a connection, on both sides (64 KiB would give 1 MB/s at 40 ms). */
  http2WindowBytes: 4 * 1024 * 1024,
  /** Such windows of all connections of a server on which something is uploaded, together: what lies in one was not read yet. */
  uploadWindowsBytes: 8 * 1024 * 1024,
  /** The window of each of so many that their shares would be smaller, and of a connection on which nothing is uploaded. */
  idleWindowBytes: 256 * 1024,
  /** What one measurement of the way to the server may carry, in each direction. */
  probeBytes: 64 * 1024 * 1024,
  /** Largest gRPC message of the control plane. */
  controlMessageBytes: 4 * 1024 * 1024,
  /** Models and updates that travel inside messages of the control plane: three calls less for each. */
  inlineBytes: 64 * 1024,
  /** An upload is made durable each time that so many bytes have arrived. */
  checkpointBytes: 16 * 1024 * 1024,
  /** Files of objects that nobody needs any more, kept to be written over. */
  spareFileBytes: 4 * 1024 * 1024 * 1024,
  spareFileMs: 60_000,
  /** What somebody began to upload, or did not hand in, waits so long at a server to be gone on with. */
  abandonedUploadMs: 7 * 24 * 60 * 60_000,
  /** Header of a safetensors file; the format's own reference implementation has the same limit. */
  safetensorsHeaderBytes: 100_000_000,
  tensorsPerModel: 100_000,
  /** Bytes of a file that a person writes (project.yml, meta.json, config_fed_*.json). */
  documentBytes: 1024 * 1024,
  /** Files that a project file includes, and those that they include. */
  includedFiles: 100,
  /** Contributors of one aggregation, those behind sums included: exact sums have headroom for so many. */
  contributors: 4096,
  /** Contributors whose updates are compared with each other: the work goes with the square. */
  comparedContributors: 1024,
  /** Updates whose matrix of distances has room in the memory of the kernels. */
  comparedByKernels: 512,
  /** Threads of one aggregation engine; kernels wait for memory long before. */
  engineThreads: 8,
  /** Elements of a compressed update that share a scale: a power of two in this range. */
  int8BlockLeast: 32,
  int8BlockMost: 4096,
  /** Elements of a tensor that indices of 32 bits can name. */
  topKElements: 2 ** 31 - 1,
  /** Values of all updates that a device is given at once: 32 MiB and 64 MiB. */
  webgpuTileElements: 2 ** 23,
  tfjsTileElements: 2 ** 24,
  /** Files in one job. */
  jobFiles: 10_000,
  /** Size of one file in a job. */
  jobFileBytes: 1024 * 1024 * 1024 * 1024,
  /** A signed job: its list of files with signature and certificate; 10,000 files with long names fit. */
  signedJobBytes: 32 * 1024 * 1024,
  /** Certificates of one participant, its own first, and the size of the file or message that holds them. */
  chainCertificates: 4,
  chainBytes: 64 * 1024,
  /** Root certificates that a project trusts side by side. */
  trustedRoots: 8,
  /** A trust list with its signatures: some thousand revocations. */
  trustListBytes: 2 * 1024 * 1024,
  /** Studies of a project, and sites of an organisation or admins in one of them; the file that holds them is at most `documentBytes`. */
  studies: 1_000,
  studyMembers: 10_000,
  /** Scopes of a site's privacy policy. */
  privacyScopes: 64,
  /** Certificates that a participant is given by renewal within the life of one. */
  renewalsPerLife: 10,
  /** Text from a peer that may stand in a log line or an error. */
  peerTextChars: 500,
  /** Metrics or further properties of an update, as JSON. */
  reportChars: 64 * 1024,
  /** Phases of a task that a site tells apart when it hands in its update. */
  taskSpans: 32,
  /** Statistics of a site's data as they are sent, features of all its data sets in them, and bins or centroids of one feature. */
  statisticsBytes: 16 * 1024 * 1024,
  statisticsFeatures: 10_000,
  statisticsBins: 10_000,
  /** Identifiers of a site in a private set intersection: one text of all of them is kept there. */
  psiItems: 10_000_000,
  /** An error that a site reports, as JSON. */
  reportedErrorChars: 16 * 1024,
  /** Metrics and log lines of a job in one message of a site, and how much of both waits at the site for its turn. */
  outputBatchBytes: 64 * 1024,
  outputWaitingBytes: 512 * 1024,
  /** Least time between two such messages of one job at one site. */
  outputPauseMs: 250,
  /** A log line of a trainer; the rest of a longer one is left out. */
  logLineChars: 2_000,
  /** What trainers of a job have printed, in its log at the site; beyond it the log begins anew, and what it held is kept once. */
  trainerLogBytes: 64 * 1024 * 1024,
  /** Log lines, and tracked metrics, that the server keeps of a job; the oldest go first. */
  jobLogBytes: 16 * 1024 * 1024,
  jobMetricsBytes: 16 * 1024 * 1024,
  /** What somebody says of why a job is aborted. */
  abortReasonChars: 500,
  /** A token with which somebody submits a job, to be able to do so again. */
  submitTokenChars: 200,
  /** Jobs of a list in one message: with many sites one takes some kilobytes. */
  jobsPerPage: 200,
  /** Messages for a site that it has not taken yet. */
  unreadMessages: 1_000,
  /** Sites of `flare poc prepare -n` and of `flare simulator -n`: each is a process of one machine. */
  pocSites: 1_000,
  /** Relays whose control streams are open at a server. */
  relays: 1_000,
  /** Connections that one site may have at a relay: it needs one, and another while it comes back. */
  relayConnectionsOfSite: 16,
  /** Commands of a session whose repetition is told by their nonce; an older one is told by its time of signing. */
  rememberedCommands: 10_000,
  /** Answer time for the two steps of registration. */
  registrationMs: 60_000,
  /** Life of a session token; it is renewed by registering again. */
  tokenMs: 60 * 60_000,
  /** Steps of registration that a server begins in a second where TLS ends at a proxy: anybody can ask, and each costs a signature. */
  challengesPerSecond: 200,
  /** Refusals of strangers that the log and the audit log tell one by one in a minute, in all and from one address; what is beyond is counted. */
  refusalsTold: 120,
  refusalsToldOfAddress: 20,
  /** Calls of a session that may overtake an earlier one, where each call is proven; a power of two. */
  overtakingCalls: 4096,
  /** An admin's session without a call for so long is ended, where it does not end with its connection. */
  adminIdleMs: 15 * 60_000,
  /** Interval of the heartbeats that a site sends on its control stream, and a trainer to its job process. */
  heartbeatMs: 5_000,
  /** A control stream without any message for so long is taken for dead. */
  silenceMs: 20_000,
  /** What makes no progress for so long is given up, unless the operator chose another time by `stall_timeout`. */
  stallMs: 10 * 60_000,
  /** First and longest wait before a site tries to reach the server again; jitter is added. */
  reconnectFirstMs: 100,
  reconnectMaxMs: 5_000,
  /** Longest wait before a site that was disabled asks again whether it may come back. */
  disabledRetryMs: 10_000,
  /** Deaths of one job process in a row, without anything done in between, after which it is given up. */
  restarts: 5,
  /** Body of a request to the dashboard, where a route takes no upload. */
  dashboardBodyBytes: 1024 * 1024,
  /** Requests to the dashboard from one network address in a minute; a whole hospital may share one. */
  dashboardRequests: 1200,
  /** Of these, changes by people who are not signed in: signing in, signing up, resets. */
  dashboardOpenChanges: 60,
  /** Passwords that wait to be checked: each check takes a core for about half a second, and 128 MiB. */
  waitingPasswords: 100,
});
