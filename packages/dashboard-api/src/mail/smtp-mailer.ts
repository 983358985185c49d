import { FlareError } from "@flare-ts/contracts";
import { createTransport, type Transporter } from "nodemailer";
import type { Letter, Mailer } from "./mailer.js";

export interface SmtpSettings {
  /** `smtp://` or `smtps://user:password@host:port`. */
  readonly url: string;
  /** The sender, such as `FLARE <flare@hospital.org>`. */
  readonly from: string;
  /** Lets a server without TLS have the letters. @default only on loopback */
  readonly allowsClear?: boolean;
}

/** Sends letters by SMTP, over TLS unless the server is on this machine. */
export class SmtpMailer implements Mailer {
  readonly #transport: Transporter;
  readonly #from: string;

  /** @throws FlareError `dashboard/invalid-settings`; the address, which may hold a password, is not part of it */
  constructor({ url, from, allowsClear }: SmtpSettings) {
    if (!URL.canParse(url) || !/^smtps?:$/.test(new URL(url).protocol)) {
      throw new FlareError(
        "dashboard/invalid-settings",
        "The mail server has to be given as smtp://host:port or smtps://user:password@host:port.",
      );
    }
    const server = new URL(url);
    const isClearFine = allowsClear ?? ["localhost", "127.0.0.1", "[::1]"].includes(server.hostname);
    const isImplicitTls = server.protocol === "smtps:";
    this.#transport = createTransport({
      host: server.hostname.replaceAll(/[[\]]/g, ""),
      port: Number(server.port === "" ? (isImplicitTls ? 465 : 587) : server.port),
      secure: isImplicitTls,
      requireTLS: !isImplicitTls && !isClearFine,
      ignoreTLS: !isImplicitTls && isClearFine,
      ...(server.username === "" ? {} : { auth: { user: plain(server.username), pass: plain(server.password) } }),
      connectionTimeout: 10_000,
      greetingTimeout: 10_000,
      socketTimeout: 20_000,
      disableFileAccess: true,
      disableUrlAccess: true,
    });
    this.#from = from;
  }

  async send({ to, subject, text }: Letter): Promise<void> {
    try {
      await this.#transport.sendMail({ from: this.#from, to: { name: "", address: to }, subject, text });
    } catch (cause) {
      const said = cause instanceof Error ? cause.message : "no reason was given";
      throw new FlareError("dashboard/mail-failed", `The mail server did not take the letter: ${said.slice(0, 300)}.`, { cause });
    }
  }
}

/** A name or password as it was before it was put into an address. */
function plain(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new FlareError(
      "dashboard/invalid-settings",
      "The mail server's name or password has a % that stands for nothing; in an address it is written %25.",
    );
  }
}
