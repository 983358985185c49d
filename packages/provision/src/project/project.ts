import type { ConnectionSecurity, KeyType, Problem, RenewalIssuer } from "@flare-ts/contracts";
import type { PluginReference } from "./plugin-reference.js";

/** How a participant reaches the server, or the relay that it is behind. */
export interface ConnectTo {
  readonly host: string;
  readonly port: number;
  readonly connectionSecurity: ConnectionSecurity;
  /** The server or relay that is dialled. */
  readonly name: string;
  /** By which it says who it is, where that is not its name. */
  readonly authIdentity?: string;
}

/** Where a participant lets others connect to it. */
export interface ListeningHost {
  readonly scheme: ListeningScheme;
  /** Names and addresses that its certificate is good for; the first is where others connect. */
  readonly hosts: readonly [string, ...string[]];
  /** 0 for any that is free. */
  readonly port: number;
  readonly connectionSecurity: ConnectionSecurity;
}

/** Ways of carrying messages that FLARE has built in. */
export const listeningSchemes = ["tcp", "grpc", "http"] as const;

type ListeningScheme = (typeof listeningSchemes)[number];

/** What every participant has. */
interface AnyParticipant {
  readonly name: string;
  readonly org: string;
  readonly connectionSecurity: ConnectionSecurity;
  /** Certificates in PEM of the authorities that a front end's certificate is checked against. */
  readonly customCaCert?: string;
}

/** The server of a project. */
export interface ServerParticipant extends AnyParticipant {
  readonly type: "server";
  readonly port: number;
  /** Names and addresses that the server's certificate is good for; the first is where participants connect. */
  readonly hosts: readonly [string, ...string[]];
  readonly listeningHost?: ListeningHost;
  /** Present where it is not the name. */
  readonly authIdentity?: string;
}

/** A site that trains. */
export interface ClientParticipant extends AnyParticipant {
  readonly type: "client";
  readonly connectTo: ConnectTo;
  readonly listeningHost?: ListeningHost;
  /** The client above it in the hierarchy of sites. */
  readonly parent?: string;
  /** The names from the top of the hierarchy of sites down to this one, joined by dots. */
  readonly fqsn: string;
  /** No client has this one as its parent. */
  readonly isLeaf: boolean;
  readonly gpus: number;
  readonly memPerGpuGiB: number;
  readonly allowLogStreaming: boolean;
  /** Present where it is not the name. */
  readonly authIdentity?: string;
  /** The relay that it is behind; `connectTo` is the relay's then. */
  readonly relay?: string;
}

/** A process between sites and the server. */
export interface RelayParticipant extends AnyParticipant {
  readonly type: "relay";
  readonly connectTo: ConnectTo;
  readonly listeningHost: ListeningHost;
  /** The names from the relay next to the server down to this one, joined by dots. */
  readonly fqcn: string;
  /** Present where it is not the name. */
  readonly authIdentity?: string;
  /** The relay that it is behind; `connectTo` is that relay's then. */
  readonly relay?: string;
}

/** A person with a console. */
export interface AdminParticipant extends AnyParticipant {
  readonly type: "admin";
  /** One of FLARE's four, or one that the policy of the sites knows. */
  readonly role: string;
  /** Always the server. */
  readonly connectTo: ConnectTo;
}

/** Whoever gets a kit. */
export type Participant = ServerParticipant | ClientParticipant | RelayParticipant | AdminParticipant;

/** What a participant that a process runs for is called in commands. */
export type ProcessType = Exclude<Participant["type"], "admin">;

/** How certificates are made and renewed. */
export interface CertificateSettings {
  readonly keyType: KeyType;
  readonly rootValidDays: number;
  /** Whether the project file says for how long; an existing root is compared with nothing else. */
  readonly isRootValidDaysGiven: boolean;
  readonly leafLifetimeMs: number;
  /** For so long after its end a certificate can still be renewed with proof of its key. */
  readonly renewalGraceMs: number;
  readonly renewalIssuer: RenewalIssuer;
  /** Kinds of participants whose certificates the server may renew; `admin` stands for every admin role. */
  readonly serverMayRenew: readonly Participant["type"][];
}

/** A named group of sites and admins. */
export interface Study {
  /** Sites by the organisation that they belong to. */
  readonly siteOrgs: Readonly<Record<string, readonly string[]>>;
  readonly admins: readonly string[];
}

/** What is written beside the kits' own files. */
export interface ProjectOutputs {
  /** Name of the image that `docker.sh` starts. */
  readonly dockerImage?: string;
  readonly compose?: {
    /** As FLARE's DockerBuilder was given it; absent when it was not. */
    readonly baseImage?: string;
    /** Text of the file of Python packages to install, where there is one. */
    readonly requirements?: string;
  };
  /** Whether `start_all.sh` is. */
  readonly startAll: boolean;
}

/** A project file with every default filled in and every check passed. */
export interface Project {
  readonly name: string;
  readonly description: string;
  readonly certificates: CertificateSettings;
  /** Present when the project file says so; jobs are signed in any case. */
  readonly requireSignedJobs?: true;
  readonly server: ServerParticipant;
  /** In the order of the project file, the server among them. */
  readonly participants: readonly Participant[];
  /** By name; present when the project file has any. */
  readonly studies?: Readonly<Record<string, Study>>;
  readonly outputs: ProjectOutputs;
  readonly plugins: {
    readonly builders: readonly PluginReference[];
    readonly packager?: PluginReference;
  };
  /** The project file as it was written, what it includes merged in; for builders that know keys of their own. */
  readonly document: unknown;
  /** What the project file asks for and has no effect yet, each with its line. */
  readonly warnings: readonly Problem[];
}

/** The role that a participant's certificate carries: an admin's own, or the kind of the process. */
export function roleOf(participant: Participant): string {
  return participant.type === "admin" ? participant.role : participant.type;
}
