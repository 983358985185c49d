export { type ArchiveFolderInit, archiveFolder } from "./archive-folder.js";
export { type ArchiveLimits, exchangeLimits, kitLimits } from "./archive-limits.js";
export type { ArchiveMember } from "./archive-member.js";
export { type ExtractArchiveInit, extractArchive } from "./extract-archive.js";
export { createPassphrase } from "./passphrase.js";
export { readArchive } from "./read-archive.js";
export { writeArchive } from "./write-archive.js";
