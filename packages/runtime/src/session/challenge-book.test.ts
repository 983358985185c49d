import { describe, expect, it } from "vitest";
import { ChallengeBook, type PendingChallenge } from "./challenge-book.js";
import { TestProject } from "./test-project.test-support.js";

const serverKeys = new TestProject("test-project").server();

const challenge = (id: number): PendingChallenge => ({
  id: String(id),
  identity: "site-1",
  clientNonce: new Uint8Array(32),
  serverNonce: new Uint8Array(32),
  connectionId: undefined,
  serverKeys,
  expiresAtMs: 60_000,
});

describe("challenges that belong to no connection", () => {
  it("are no more in a second than the server can sign beside its work", () => {
    const book = new ChallengeBook({ max: 100, maxPerConnection: 1, maxPerSecond: 3 });
    for (let i = 0; i < 3; i++) book.add(challenge(i), 1_000 + i);
    expect(() => book.add(challenge(3), 1_999)).toThrow(expect.objectContaining({ code: "auth/too-many-challenges" }));
    book.add(challenge(4), 2_000);
  });

  it("do not keep a newer one out: the oldest has to go", () => {
    const book = new ChallengeBook({ max: 2, maxPerConnection: 1, maxPerSecond: 100 });
    for (let i = 0; i < 3; i++) book.add(challenge(i), 0);
    expect(book.size).toBe(2);
    expect(() => book.take("0", undefined, 0)).toThrow(expect.objectContaining({ code: "auth/unknown-challenge" }));
    expect(book.take("2", undefined, 0).id).toBe("2");
  });
});
