/** An error as it travels in a journal. */
export interface EventError {
  readonly code: string;
  readonly message: string;
}

/** Metrics of a model by name. */
export type Metrics = Readonly<Record<string, number>>;

/** So long a task was in a phase at its site. */
export interface TaskSpan {
  readonly phase: string;
  /** What it waited for. */
  readonly reason?: string | undefined;
  readonly ms: number;
}

/** What the page reads of the events of a job's journal; kinds that it does not know are passed over. */
export type JobEvent =
  | { readonly type: "job-submitted"; readonly submitter: string; readonly name: string }
  | { readonly type: "job-started"; readonly sites: readonly string[] }
  | {
      readonly type: "round-opened";
      readonly round: number;
      readonly task: string;
      readonly sites: readonly string[];
      /** Rounds that the workflow does at most. */
      readonly totalRounds: number;
      /** Id of the workflow, where the job has several. */
      readonly workflow?: string | undefined;
      /** Whose model the sites evaluate: that of a site, or one of the server's with `SRV_` before its name. */
      readonly evaluates?: string | undefined;
      /** What sites are asked for instead of models: `statistics`. */
      readonly asks?: string | undefined;
      /** Where sites do not wait for each other: tasks of rounds from the oldest base on go on, and so many updates make a model. */
      readonly buffered?: { readonly oldestBase: number; readonly updates: number } | undefined;
      /** Where updates are added without being read: the document with the keys that they are masked with. */
      readonly roster?: object | undefined;
    }
  | {
      /** Something else than an update is asked of sites, so that updates can be added without being read. */
      readonly type: "step-opened";
      readonly round: number;
      readonly task: string;
      readonly step: string;
      readonly attempt: number;
      readonly sites: readonly string[];
    }
  | { readonly type: "step-answered"; readonly round: number; readonly task: string; readonly site: string }
  | { readonly type: "task-assigned"; readonly round: number; readonly sites: readonly string[] }
  | {
      readonly type: "update-accepted";
      readonly round: number;
      readonly site: string;
      readonly weight: number;
      readonly metrics: Metrics;
      readonly update: { readonly size: number };
      /** What the site did with its task, one after the other until it handed in. Not from older versions. */
      readonly spans?: readonly TaskSpan[] | undefined;
    }
  | { readonly type: "task-failed"; readonly round: number; readonly task?: string; readonly site: string; readonly error: EventError }
  | { readonly type: "site-connected"; readonly site: string }
  | { readonly type: "site-disconnected"; readonly site: string; readonly reason: string }
  | { readonly type: "site-left"; readonly site: string; readonly error: EventError }
  | {
      readonly type: "deadline-passed";
      readonly round: number;
      /** Who had not answered, and why. Not from servers of older versions. */
      readonly late?: readonly { readonly site: string; readonly why: string }[] | undefined;
    }
  | {
      readonly type: "round-closed";
      readonly round: number;
      readonly contributors: readonly string[];
      readonly missing: readonly string[];
      readonly metrics: Metrics;
      readonly bytes: number;
      readonly aggregationSeconds: number;
      readonly engine?: string | undefined;
      readonly strategy?: string | undefined;
      /** Where sites do not wait for each other: what is in the model, by the round whose model each began with. */
      readonly updates?: readonly { readonly site: string; readonly round: number }[] | undefined;
      /** By site, where sites have handed in models of their own. */
      readonly models?: Readonly<Record<string, unknown>> | undefined;
    }
  | { readonly type: "best-model"; readonly round: number; readonly metric: string; readonly value: number }
  | { readonly type: "process-restarted"; readonly where: string; readonly reason: string }
  | { readonly type: "workflow-ended"; readonly reason: string }
  | { readonly type: "job-ended"; readonly status: string; readonly reason: string };

/** One entry of a job's journal. */
export interface JournalEntry {
  readonly seq: number;
  readonly atMs: number;
  readonly event: JobEvent;
}
