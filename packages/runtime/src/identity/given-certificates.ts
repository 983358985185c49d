import { mkdir, open, readFile, rename } from "node:fs/promises";
import { dirname } from "node:path";
import { FlareError, Turns } from "@flare-ts/contracts";
import { z } from "zod";

/** A certificate that was given out by renewal. */
export interface GivenCertificate {
  /** SHA-256 of the certificate, lower-case hexadecimal. */
  readonly fingerprint: string;
  /** When the certificate began that this one goes back to, over every renewal in between; milliseconds since the epoch. */
  readonly beganMs: number;
  /** Milliseconds since the epoch. */
  readonly endsMs: number;
}

/**
 * What the certificates that a server gave out go back to. A revocation covers what began before it; one that reaches the server
 * late must cover, too, what was traded for such a certificate in the meantime.
 */
export class GivenCertificates {
  readonly #file: string;
  readonly #keepMs: number;
  #given: ReadonlyMap<string, GivenCertificate>;
  readonly #turns = new Turns();

  private constructor(init: { readonly file: string; readonly keepMs: number; readonly given: readonly GivenCertificate[] }) {
    this.#file = init.file;
    this.#keepMs = init.keepMs;
    this.#given = byFingerprint(init.given);
  }

  /**
   * Reads what is remembered. Going on without it would let in whom a revocation has reached.
   *
   * @param init.keepMs how long after its end a certificate may still be renewed
   * @throws FlareError `file/unreadable` for a file that is there and damaged
   */
  static async open({ file, keepMs }: { readonly file: string; readonly keepMs: number }): Promise<GivenCertificates> {
    try {
      const given = schema.parse(JSON.parse(await readFile(file, "utf8")));
      return new GivenCertificates({ file, keepMs, given });
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === "ENOENT") return new GivenCertificates({ file, keepMs, given: [] });
      throw new FlareError("file/unreadable", `${file} cannot be read.`, { cause, facts: { file } });
    }
  }

  /** When the certificate began that this one goes back to; `undefined` for one that was not given out here. */
  beganMs(fingerprint: string): number | undefined {
    return this.#given.get(fingerprint)?.beganMs;
  }

  /** Remembers a certificate durably, before anybody has it. @throws FlareError `file/unwritable` */
  async add(certificate: GivenCertificate, nowMs: number): Promise<void> {
    const kept = [...this.#given.values()].filter(({ endsMs }) => nowMs <= endsMs + this.#keepMs);
    this.#given = byFingerprint([...kept, certificate]);
    await this.#turns.take(async () => await this.#write());
  }

  async #write(): Promise<void> {
    const file = this.#file;
    try {
      await mkdir(dirname(file), { recursive: true, mode: 0o700 });
      const draft = await open(`${file}.new`, "w", 0o600);
      try {
        await draft.writeFile(JSON.stringify([...this.#given.values()]));
        await draft.sync();
      } finally {
        await draft.close();
      }
      await rename(`${file}.new`, file);
    } catch (cause) {
      throw new FlareError("file/unwritable", `${file} cannot be written.`, { cause, facts: { file } });
    }
  }
}

const schema = z.array(z.strictObject({ fingerprint: z.string(), beganMs: z.number(), endsMs: z.number() }));

function byFingerprint(given: readonly GivenCertificate[]): ReadonlyMap<string, GivenCertificate> {
  return new Map(given.map((one) => [one.fingerprint, one]));
}
