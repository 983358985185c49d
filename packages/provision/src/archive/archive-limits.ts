/** What an archive may hold; every figure is counted while it is read, whatever the archive says of itself. */
export interface ArchiveLimits {
  /** Size of the archive itself. */
  readonly archiveBytes: number;
  readonly members: number;
  /** Size of one member, unpacked. */
  readonly memberBytes: number;
  /** Size of all members together, unpacked. */
  readonly totalBytes: number;
  /** Bytes that a compressed byte may become, once a member is larger than a page of text. */
  readonly ratio: number;
}

/** Limits of what participants and project admins send each other. */
export const exchangeLimits: ArchiveLimits = Object.freeze({
  archiveBytes: 16 * 1024 * 1024,
  members: 32,
  memberBytes: 10 * 1024 * 1024,
  totalBytes: 16 * 1024 * 1024,
  ratio: 100,
});

/** Limits of a startup kit that is handed over as an archive. */
export const kitLimits: ArchiveLimits = Object.freeze({
  archiveBytes: 64 * 1024 * 1024,
  members: 1_000,
  memberBytes: 10 * 1024 * 1024,
  totalBytes: 64 * 1024 * 1024,
  ratio: 100,
});
