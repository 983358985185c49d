import { expect, it } from "vitest";
import { type EventStream, LiveConnection } from "./live-connection.js";

class TestStream implements EventStream {
  readonly listeners = new Map<string, ((event: { data?: unknown; lastEventId?: string }) => void)[]>();
  isClosed = false;
  addEventListener(type: string, listener: (event: { data?: unknown; lastEventId?: string }) => void): void {
    this.listeners.set(type, [...(this.listeners.get(type) ?? []), listener]);
  }
  close(): void {
    this.isClosed = true;
  }
  say(type: string, data?: string, lastEventId = ""): void {
    for (const listener of this.listeners.get(type) ?? []) listener({ data, lastEventId });
  }
}

function setUp() {
  const streams: TestStream[] = [];
  const heard: [string, unknown][] = [];
  const asked: (string | undefined)[] = [];
  const clock = { nowMs: 1000 };
  let timer: (() => void) | undefined;
  const connection = new LiveConnection(
    {
      open: (after) => {
        asked.push(after);
        const stream = new TestStream();
        streams.push(stream);
        return stream;
      },
      apply: (type, data) => heard.push([type, data]),
      setTimer: (run) => {
        timer = run;
        return () => {
          timer = undefined;
        };
      },
      now: () => clock.nowMs,
    },
    { types: ["jobs"] },
  );
  connection.start();
  return { connection, asked, clock, streams, heard, silence: () => timer?.(), hasTimer: () => timer !== undefined };
}

it("is live once the stream speaks, and hands on what it says", () => {
  const { connection, streams, heard } = setUp();
  expect(connection.state).toBe("connecting");
  streams[0]?.say("jobs", '{"a":1}');
  expect(connection.state).toBe("live");
  expect(heard).toEqual([["jobs", { a: 1 }]]);
});

it("does not call itself live after a rest before the stream has spoken again", () => {
  const { connection, streams } = setUp();
  streams[0]?.say("open");
  connection.stop();
  connection.start();
  expect(connection.state).toBe("connecting");
  streams[1]?.say("open");
  expect(connection.state).toBe("live");
});

it("silence for longer than a heartbeat is a loss, and the stream is opened anew", () => {
  const { connection, streams, silence } = setUp();
  streams[0]?.say("open");
  silence();
  expect(connection.state).toBe("lost");
  expect(streams).toHaveLength(2);
  expect(streams[0]?.isClosed).toBe(true);
  streams[1]?.say("heartbeat");
  expect(connection.state).toBe("live");
});

it("what an old stream still says changes nothing", () => {
  const { connection, streams, heard, silence } = setUp();
  silence();
  streams[0]?.say("jobs", "{}");
  expect(heard).toEqual([]);
  expect(connection.state).toBe("lost");
});

it("leaves no stream and no timer when it stops", () => {
  const { connection, streams, hasTimer } = setUp();
  connection.stop();
  expect(streams[0]?.isClosed).toBe(true);
  expect(hasTimer()).toBe(false);
});

it("knows of when its figures are, while the stream is lost too", () => {
  const { connection, clock, streams, silence } = setUp();
  expect(connection.heardAtMs).toBeNull();
  streams[0]?.say("heartbeat");
  clock.nowMs = 60_000;
  silence();
  streams[1]?.say("error");
  expect(connection.heardAtMs).toBe(1000);
});

it("a stream that is opened anew goes on after the last event", () => {
  const { asked, streams, silence } = setUp();
  streams[0]?.say("jobs", "{}", "41");
  silence();
  expect(asked).toEqual([undefined, "41"]);
});
