import { expect, it } from "vitest";
import * as surface from "./index.js";

it("the public surface of this package is these names and no others", () => {
  expect(Object.keys(surface).sort()).toEqual([
    "descendantsOf",
    "faultKinds",
    "faultTexts",
    "jobCourses",
    "processesWith",
    "runChaos",
    "trainerLanguages",
    "writeChaosJob",
  ]);
});
