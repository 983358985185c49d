export { type ArchiveFolderInit, archiveFolder } from "./archive-folder.js";
export { type ArchiveLimits, exchangeLimits, kitLimits } from "./archive-limits.js";
export type { ArchiveMember, ArchiveSource } from "./archive-member.js";
export { type ExtractArchiveInit, extractArchive } from "./extract-archive.js";
export { createPassphrase } from "./passphrase.js";
export { type ReadArchiveInit, readArchive } from "./read-archive.js";
export { type WriteArchiveInit, writeArchive } from "./write-archive.js";
