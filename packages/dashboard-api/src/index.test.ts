import { readdirSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";
import * as contract from "./contract/index.js";
import { allRoutes } from "./contract/index.js";
import * as index from "./index.js";

it("the public surface of this package is these names and no others", () => {
  expect(Object.keys(index).sort()).toEqual([
    "createDashboardLogger",
    "dashboardPlugin",
    "openDashboard",
    "resetPasswordLocally",
    "startDashboard",
  ]);
});

it("the contract runs in a browser: it needs nothing but zod", () => {
  const folder = new URL("contract/", import.meta.url);
  const files = readdirSync(folder).filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts"));
  const imports = files.flatMap((file) =>
    [...readFileSync(new URL(file, folder), "utf8").matchAll(/from "([^"]+)"/g)].map(([, from = ""]) => from),
  );
  expect(imports.filter((from) => from !== "zod" && !/^\.\/[\w-]+\.js$/.test(from))).toEqual([]);
});

it("the contract's entry names every route of the table", () => {
  const named = Object.values(contract as Record<string, unknown>);
  expect(allRoutes.filter((route) => !named.includes(route)).map(({ id }) => id)).toEqual([]);
});
