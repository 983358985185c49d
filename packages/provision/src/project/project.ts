import type { AdminRole, Problem } from "@flare-ts/contracts";

/** Where a participant reaches the server. */
export interface ServerAddress {
  readonly host: string;
  readonly port: number;
}

/** The server of a project. */
export interface ServerParticipant {
  readonly type: "server";
  readonly name: string;
  readonly org: string;
  readonly port: number;
  /** Names and addresses that the server's certificate is good for; the first is where participants connect. */
  readonly hosts: readonly [string, ...string[]];
}

/** A site that trains. */
export interface ClientParticipant {
  readonly type: "client";
  readonly name: string;
  readonly org: string;
  readonly connectTo: ServerAddress;
  readonly gpus: number;
  readonly memPerGpuGiB: number;
}

/** A person with a console. */
export interface AdminParticipant {
  readonly type: "admin";
  readonly name: string;
  readonly org: string;
  readonly role: AdminRole;
  readonly connectTo: ServerAddress;
}

/** Whoever gets a kit. */
export type Participant = ServerParticipant | ClientParticipant | AdminParticipant;

/** A project file with every default filled in and every check passed. */
export interface Project {
  readonly name: string;
  readonly description: string;
  readonly rootValidDays: number;
  /** Present when the project file says so; jobs are signed in any case. */
  readonly requireSignedJobs?: true;
  readonly server: ServerParticipant;
  /** In the order of the project file, the server among them. */
  readonly participants: readonly Participant[];
  /** What the project file asks for and has no effect yet, each with its line. */
  readonly warnings: readonly Problem[];
}

/** The role that a participant's certificate carries: an admin's own, or the kind of the process. */
export function roleOf(participant: Participant): string {
  return participant.type === "admin" ? participant.role : participant.type;
}
