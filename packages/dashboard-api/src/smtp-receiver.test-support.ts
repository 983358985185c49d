import type { AddressInfo } from "node:net";
import { SMTPServer } from "smtp-server";
import { onTestFinished } from "vitest";

/** A letter as the receiver got it. */
export interface ReceivedLetter {
  readonly to: string;
  /** Headers and text, with soft line breaks undone. */
  readonly text: string;
}

/** A real mail server on loopback that keeps what it gets. */
export interface SmtpReceiver {
  readonly url: string;
  readonly letters: readonly ReceivedLetter[];
  /** Waits for the next letter beyond those that were asked for already. */
  readonly next: () => Promise<ReceivedLetter>;
}

/** Starts a mail server that is stopped when the test ends; `refuses` makes it take nothing. */
export async function startSmtpReceiver({ refuses = false }: { readonly refuses?: boolean } = {}): Promise<SmtpReceiver> {
  const letters: ReceivedLetter[] = [];
  const waiting: (() => void)[] = [];
  let asked = 0;
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ["STARTTLS"],
    logger: false,
    onRcptTo: (_address, _session, done) => done(refuses ? new Error("no such mailbox") : null),
    onData(stream, session, done) {
      const chunks: Buffer[] = [];
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("end", () => {
        const raw = Buffer.concat(chunks).toString("utf8");
        const text = raw.replaceAll("=\r\n", "").replaceAll("=3D", "=");
        letters.push({ to: session.envelope.rcptTo.map(({ address }) => address).join(), text });
        for (const wake of waiting.splice(0)) wake();
        done();
      });
    },
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => new Promise<void>((resolve) => server.close(resolve)));
  const { port } = server.server.address() as AddressInfo;
  return {
    url: `smtp://127.0.0.1:${port}`,
    letters,
    async next() {
      asked += 1;
      for (;;) {
        const letter = letters[asked - 1];
        if (letter !== undefined) return letter;
        await new Promise<void>((resolve) => waiting.push(resolve));
      }
    },
  };
}

/** The token at the end of a link in a letter or an answer. */
export function tokenIn(text: string): string {
  return /#([A-Za-z0-9_-]{43})/.exec(text)?.[1] ?? "";
}
