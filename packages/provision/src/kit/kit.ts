import type { ConnectionSecurity } from "@flare-ts/contracts";

/** Who a kit is for. */
export type KitType = "server" | "client" | "admin";

/** Where the server is: for its own kit where it listens, for every other kit where it is reached. */
export interface KitEndpoint {
  readonly host: string;
  readonly port: number;
  readonly scheme: "grpc";
  readonly connectionSecurity: Extract<ConnectionSecurity, "mtls">;
  /** Names and addresses that the server's certificate is good for, in the server's kit; elsewhere the host alone. */
  readonly hosts: readonly string[];
}

/** Absolute paths of the settings in force; `undefined` where the kit has none. */
export interface KitLocalFiles {
  readonly dir: string;
  readonly resources: string | undefined;
  readonly authorization: string | undefined;
  readonly logConfig: string | undefined;
}

/** A startup kit as it was read from its folder. */
export interface Kit {
  /** Absolute path. */
  readonly dir: string;
  readonly type: KitType;
  /** Common name of the certificate. */
  readonly name: string;
  readonly org: string;
  /** `server`, `client`, or the admin's role. */
  readonly role: string;
  readonly project: string;
  readonly certificatePem: string;
  readonly privateKeyPem: string;
  readonly rootCaPem: string;
  /** Common name of the server's certificate. */
  readonly serverIdentity: string;
  readonly endpoint: KitEndpoint;
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
  };
}
