import type { ConnectionSecurity, RenewableType, RenewalIssuer } from "@flare-ts/contracts";

/** Who a kit is for. */
export type KitType = "server" | "client" | "admin" | "relay";

/** Where a server listens, in its own kit; in every other kit what is dialled: the server, or the relay in its place. */
export interface KitEndpoint {
  readonly host: string;
  readonly port: number;
  readonly scheme: "grpc";
  /** How the server listens, or how a participant dials it. */
  readonly connectionSecurity: ConnectionSecurity;
  /** Names and addresses that the server's certificate is good for, in the server's kit; elsewhere the host alone. */
  readonly hosts: readonly string[];
}

/** Absolute paths of the settings in force; `undefined` where the kit has none. */
export interface KitLocalFiles {
  readonly dir: string;
  readonly resources: string | undefined;
  readonly authorization: string | undefined;
  readonly logConfig: string | undefined;
  /** Only a site has one. */
  readonly privacy: string | undefined;
  /** Absolute paths of files that FLARE reads and nothing here does. */
  readonly withoutEffect: readonly string[];
  /** Absolute paths of files that nothing reads, each with the name that was probably meant. */
  readonly misnamed: readonly { readonly file: string; readonly meant: string }[];
}

/** The relay that a site or another relay dials in the server's place. */
export interface KitRelay {
  readonly name: string;
  /** Absolute path of the file that says so. */
  readonly file: string;
}

/** Where a relay listens, and the certificate by which those who dial it know it. */
export interface KitListening {
  /** Names and addresses that it is dialled by. */
  readonly hosts: readonly string[];
  /** 0: any that is free. */
  readonly port: number;
  readonly connectionSecurity: ConnectionSecurity;
  readonly certificatePem: string;
  readonly privateKeyPem: string;
  /** Absolute path of the settings. */
  readonly file: string;
}

/** How the certificates of a kit's project are renewed. */
export interface KitCertificates {
  readonly renewal: RenewalIssuer;
  readonly leafLifetimeMs: number;
  /** For so long after its end a certificate is still good for one thing: to ask for the next. */
  readonly renewalGraceMs: number;
  /** Whose certificates the server may renew by itself. */
  readonly serverMayRenew: readonly RenewableType[];
}

/** A startup kit as it was read from its folder. */
export interface Kit {
  /** Absolute path. */
  readonly dir: string;
  readonly type: KitType;
  /** Common name of the certificate. */
  readonly name: string;
  readonly org: string;
  /** `server`, `client`, `relay`, or the admin's role. */
  readonly role: string;
  readonly project: string;
  readonly certificatePem: string;
  readonly privateKeyPem: string;
  readonly rootCaPem: string;
  /** Roots by which the certificate of a proxy in front of the server is judged, with `tls`; `undefined` where the kit's own do. */
  readonly customCaPem: string | undefined;
  /** Common name of the server's certificate. */
  readonly serverIdentity: string;
  readonly endpoint: KitEndpoint;
  /** Of a site's or a relay's kit; `undefined` where it dials the server itself. */
  readonly relay: KitRelay | undefined;
  /** Where a relay listens for those below it; `undefined` in every other kit. */
  readonly listening: KitListening | undefined;
  /** `undefined` in kits of the versions that knew no renewal. */
  readonly certificates: KitCertificates | undefined;
  readonly local: KitLocalFiles;
  /** Absolute path of the folder for files on their way in and out. */
  readonly transferDir: string;
  /** Absolute paths of the files in startup, for messages. */
  readonly startup: {
    readonly dir: string;
    readonly config: string;
    readonly certificate: string;
    readonly privateKey: string;
    readonly rootCa: string;
    readonly customCa: string | undefined;
  };
}
