import { create } from "@bufbuild/protobuf";
import { HeartbeatSchema, type ServerMessage, ServerMessageSchema } from "@flare-ts/contracts/wire";
import { describe, expect, it } from "vitest";
import type { Logger } from "../logging/logger.js";
import { SiteOutbox } from "./site-outbox.js";

const silent: Logger = {
  error: () => undefined,
  warn: () => undefined,
  info: () => undefined,
  debug: () => undefined,
  child: () => silent,
};

describe("what a site is told", () => {
  it("begins with its state, whatever came up before that was read", () => {
    const sent: bigint[] = [];
    const outbox = outboxOf((message) => {
      sent.push(numberOf(message));
      return Promise.resolve();
    });
    outbox.push(heartbeat(1));
    outbox.push(heartbeat(2));
    expect(sent).toEqual([]);
    outbox.open([heartbeat(0)]);
    outbox.push(heartbeat(3));
    expect(sent).toEqual([0n, 1n, 2n, 3n]);
  });

  it("is not kept without bounds for a site that does not read, before and after its state", () => {
    for (const isOpen of [false, true]) {
      const reasons: string[] = [];
      const outbox = outboxOf(
        () => new Promise(() => {}),
        (reason) => reasons.push(reason),
      );
      if (isOpen) outbox.open([heartbeat(0)]);
      for (let i = 0; i < 1_001; i++) outbox.push(heartbeat(i));
      expect(reasons.length).toBeGreaterThan(0);
      expect(reasons[0]).toContain("unread");
    }
  });
});

function outboxOf(send: (message: ServerMessage) => Promise<void>, onOverflow: (reason: string) => void = () => undefined): SiteOutbox {
  return new SiteOutbox({ send, onOverflow, logger: silent });
}

function heartbeat(number: number): ServerMessage {
  return create(ServerMessageSchema, { message: { case: "heartbeat", value: create(HeartbeatSchema, { sentAtMs: BigInt(number) }) } });
}

function numberOf({ message: { case: kind, value } }: ServerMessage): bigint {
  return kind === "heartbeat" ? value.sentAtMs : -1n;
}
