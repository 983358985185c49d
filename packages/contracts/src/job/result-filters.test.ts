import { describe, expect, it } from "vitest";
import { z } from "zod";
import { readDocument } from "../documents/read-document.js";
import type { FlareError } from "../errors/flare-error.js";
import { siteResultFiltersSchema } from "./result-filters.js";

const read = (...filters: unknown[]) =>
  readDocument({
    text: JSON.stringify({ task_result_filters: [{ tasks: ["train"], filters }] }, undefined, 2),
    file: "config_fed_client.json",
    schema: z.strictObject({ task_result_filters: siteResultFiltersSchema }),
    code: "job/invalid",
  }).value.task_result_filters[0];

function problemOf(...filters: unknown[]): string {
  try {
    read(...filters);
  } catch (error) {
    return (error as FlareError).problems.map(({ file, line, message }) => `${file}:${line} ${message}`).join("\n");
  }
  return "";
}

const filterPath = (module: string, name: string): string => `nvflare.app_common.filters.${module}.${name}`;

describe("the filters of a job", () => {
  it("are FLARE's, in their order, with its defaults", () => {
    const given = read(
      { path: filterPath("exclude_vars", "ExcludeVars"), args: { exclude_vars: ["head"] } },
      { path: filterPath("percentile_privacy", "PercentilePrivacy"), args: {} },
      { path: filterPath("svt_privacy", "SVTPrivacy"), args: { epsilon_release: 5 } },
      { path: "ModelQuantizer" },
    );
    const svt = {
      kind: "SVTPrivacy",
      fraction: 0.1,
      epsilon: 0.1,
      noiseVar: 0.1,
      gamma: 1e-5,
      tau: 1e-6,
      replace: true,
      epsilonRelease: 5,
    };
    expect(given).toEqual({
      tasks: ["train"],
      filters: [{ kind: "ExcludeVars", names: ["head"] }, { kind: "PercentilePrivacy", percentile: 10, gamma: 0.01 }, svt],
      updateForm: "float16",
    });
  });

  it.each(["GaussianPrivacy", "SVTPrivacy"])("have no account: only a site's policy has one, beside %s", (path) => {
    const args = path === "SVTPrivacy" ? {} : { clip_norm: 1, noise_multiplier: 1 };
    expect(problemOf({ path, args })).toBe("");
    expect(problemOf({ path, args: { ...args, epsilon_budget: 8 } })).toMatch(/the account of epsilon is the site's/);
  });

  it("are refused with the line of the mistake and what may have been meant", () => {
    expect(problemOf({ path: "SVTPrivacy", args: { fraction: 0.1, noise: 1 } })).toMatch(
      /^config_fed_client\.json:12 unknown argument 'noise' of SVTPrivacy/,
    );
    expect(problemOf({ path: "SVTPrivacy", args: { gama: 1 } })).toMatch(/did you mean 'gamma'/);
    expect(problemOf({ path: "SVTPrivacy", args: { replace: "yes" } })).toMatch(/must be true or false/);
    expect(problemOf({ path: "SvtPrivacy" })).toMatch(/did you mean 'SVTPrivacy'/);
  });
});
