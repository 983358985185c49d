import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { createSecureContext } from "node:tls";
import { ChannelCredentials, Client } from "@grpc/grpc-js";
import { asItIs, streamOptions, uploadPath } from "./bare-method.ts";

/** A stream of grpc-js over mutual TLS to a server in a process of its own that counts messages and throws them away. */
export interface BareStream {
  /** Seconds that so many messages of so many bytes take, until the server has answered that it has them all. */
  measure(messages: number, messageBytes: number): Promise<number>;
  close(): Promise<void>;
}

/** Starts the server with the certificates of two kits, and connects. */
export async function openBareStream(kits: { readonly server: string; readonly client: string }): Promise<BareStream> {
  const child = spawn(process.execPath, [join(import.meta.dirname, "bare-server.ts"), kits.server], { stdio: ["pipe", "pipe", "inherit"] });
  const port = await firstLine(child);
  const [ca, cert, key] = await Promise.all(
    ["rootCA.pem", "client.crt", "client.key"].map((name) => readFile(join(kits.client, "startup", name))),
  );
  const credentials = ChannelCredentials.createFromSecureContext(createSecureContext({ ca, cert, key }));
  const client = new Client(`localhost:${port}`, credentials, streamOptions);
  return {
    measure: async (messages, messageBytes) => {
      const message = Buffer.allocUnsafe(messageBytes).fill(7);
      const start = performance.now();
      await send(client, message, messages);
      return (performance.now() - start) / 1000;
    },
    close: async () => {
      client.close();
      const exited = once(child, "exit");
      child.stdin?.end();
      await exited;
    },
  };
}

async function send(client: Client, message: Buffer, messages: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const call = client.makeClientStreamRequest(uploadPath, asItIs, asItIs, (error) => (error === null ? resolve() : reject(error)));
    let left = messages;
    const more = (): void => {
      while (left > 0) {
        left -= 1;
        if (!call.write(message)) {
          call.once("drain", more);
          return;
        }
      }
      call.end();
    };
    more();
  });
}

async function firstLine(child: ChildProcess): Promise<string> {
  const { stdout } = child;
  if (stdout === null) throw new TypeError("the output of the process is not read");
  const [line] = (await once(stdout.setEncoding("utf8"), "data")) as [string];
  return line.trim();
}
