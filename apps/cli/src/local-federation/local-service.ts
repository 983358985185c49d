/** A process of a federation on this machine, which runs in the background from a startup kit. */
export interface LocalService {
  readonly name: string;
  readonly kind: "server" | "client" | "relay";
  /** Folder of its startup kit. */
  readonly kit: string;
}
