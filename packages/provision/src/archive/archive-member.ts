/** One file of an archive. */
export interface ArchiveMember {
  /** Inside the archive, with forward slashes. */
  readonly path: string;
  readonly bytes: Uint8Array;
  /** Permissions, such as `0o600`. */
  readonly mode: number;
}

/** A file that goes into an archive from the disk, and is never held in memory as a whole. */
export interface ArchiveSource {
  /** Inside the archive, with forward slashes. */
  readonly path: string;
  /** Where it is. */
  readonly file: string;
  /** Permissions, such as `0o600`. */
  readonly mode: number;
}
