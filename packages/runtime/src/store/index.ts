export type { JobEvent, JournalEntry, TaskKey } from "../job/job-event.js";
export { FileModelStore, type FileModelStoreInit } from "./file-model-store.js";
export type { ModelStore, ObjectRef, ObjectWriter, StoredObject } from "./model-store.js";
export type { AddedJob, JobChange, JobFilter, JobRecord, NewJob, ServerStore, TaskRecord, UpdateOutcome } from "./server-store.js";
export type { SiteResult, SiteStore } from "./site-store.js";
export { openSqliteServerStore } from "./sqlite-server-store.js";
export { openSqliteSiteStore } from "./sqlite-site-store.js";
