import { expect, it } from "vitest";
import { UploadWindows } from "./upload-windows.js";

const init = { mostBytes: 4096, totalBytes: 4096, leastBytes: 256 };

function connections(count: number) {
  const all = Array.from({ length: count }, (_, number) => ({ number, window: 0, changes: 0 }));
  const windows = new UploadWindows<(typeof all)[number]>(
    {
      setWindow: (connection, bytes) => {
        connection.window = bytes;
        connection.changes += 1;
      },
    },
    init,
  );
  for (const one of all) windows.open(one);
  return { all, windows };
}

it("one upload has the whole window, of several each has its share, and a connection without one has the least", () => {
  const { all, windows } = connections(5);
  const [first, second, third] = all as [(typeof all)[0], (typeof all)[0], (typeof all)[0]];
  const ends = [windows.begin(first)];
  expect(all.map(({ window }) => window)).toEqual([4096, 256, 256, 256, 256]);
  ends.push(windows.begin(second), windows.begin(third));
  expect(all.map(({ window }) => window)).toEqual([1024, 1024, 1024, 256, 256]);
  for (const end of ends) end();
  expect(all.map(({ window }) => window)).toEqual([256, 256, 256, 256, 256]);
});

it("a connection with several uploads, such as that of a relay, has the shares of all", () => {
  const { all, windows } = connections(2);
  const [relay, site] = all as [(typeof all)[0], (typeof all)[0]];
  for (let i = 0; i < 3; i++) windows.begin(relay);
  const end = windows.begin(site);
  expect([relay.window, site.window]).toEqual([3072, 1024]);
  end();
  end();
  expect([relay.window, site.window]).toEqual([3072, 256]);
});

it("of very many each has the least, and a window changes seldom", () => {
  const { all, windows } = connections(64);
  for (const one of all) windows.begin(one);
  expect(new Set(all.map(({ window }) => window))).toEqual(new Set([256]));
  expect(Math.max(...all.map(({ changes }) => changes))).toBeLessThanOrEqual(6);
});
