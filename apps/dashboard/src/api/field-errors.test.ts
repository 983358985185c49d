import { ApiError } from "@flare-ts/dashboard-api/contract";
import { expect, it } from "vitest";
import { fieldErrors, otherProblems } from "./field-errors.js";

const error = new ApiError(400, {
  code: "dashboard/invalid",
  message: "The request has mistakes.",
  todo: "Correct them.",
  problems: [
    { path: "body.name", message: "must not be empty" },
    { path: "body.sites[1].org", message: "is unknown" },
    { path: "query.limit", message: "must be a number" },
  ],
});

it("mistakes go to the field that they are about, the others to the form", () => {
  expect(fieldErrors(error)).toMatchObject({ name: "must not be empty", "sites.1.org": "is unknown" });
  expect(otherProblems(error, ["name", "sites.1.org"])).toEqual(["query.limit must be a number"]);
  expect(fieldErrors(new TypeError("no network"))).toEqual({});
});
