import { execFileSync } from "node:child_process";
import { expect, it } from "vitest";

it("is packed as the page that the dashboard's API serves, and not as its source", () => {
  const output = execFileSync("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], {
    cwd: new URL("..", import.meta.url),
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
  const listed = [...output.matchAll(/"path": "([^"]+)"/g)].map((match) => match[1]);
  expect(listed).toContain("dist/index.html");
  expect(listed.filter((path) => path?.startsWith("src/"))).toEqual([]);
});
