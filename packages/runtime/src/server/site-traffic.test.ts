import { create } from "@bufbuild/protobuf";
import { ServerMessageSchema, SubmitUpdateRequestSchema, TaskSchema } from "@flare-ts/contracts/wire";
import { describe, expect, it } from "vitest";
import { SiteTraffic } from "./site-traffic.js";

describe("the traffic of a site", () => {
  it("counts models and updates that travel inside messages", async () => {
    const traffic = new SiteTraffic({ steadyNow: () => 0 });
    const sent: unknown[] = [];
    const send = traffic.sendingTo("site-1", async (message) => void sent.push(message));
    const task = create(TaskSchema, { modelBytes: new Uint8Array(100) });
    await send(create(ServerMessageSchema, { message: { case: "task", value: task } }));
    await send(create(ServerMessageSchema, { message: { case: "task", value: create(TaskSchema) } }));
    traffic.handedIn("site-1", create(SubmitUpdateRequestSchema, { updateBytes: new Uint8Array(40) }));
    traffic.handedIn("site-1", create(SubmitUpdateRequestSchema));
    expect(sent).toHaveLength(2);
    expect(traffic.of("site-1")).toMatchObject({ sentBytes: 100, receivedBytes: 40 });
    expect(traffic.total()).toEqual({ sentBytes: 100, receivedBytes: 40 });
  });

  it("counts chunks, and tells the speed of what is large enough", async () => {
    let nowMs = 0;
    const traffic = new SiteTraffic({ steadyNow: () => nowMs });
    async function* chunks() {
      for (const offset of [0, 200_000]) yield { offset, data: Buffer.alloc(200_000) };
    }
    for await (const _chunk of traffic.received("site-1", chunks())) nowMs += 1_000;
    expect(traffic.of("site-1")).toMatchObject({ receivedBytes: 400_000, receivedBytesPerSecond: 200_000 });
  });
});
