import { contentHashSchema } from "@flare-ts/contracts";
import type { EvaluatedModel, ModelEvaluation } from "@flare-ts/runtime/admin";
import picocolors from "picocolors";
import { describe, expect, it } from "vitest";
import { evaluationData, evaluationLines } from "./evaluation-lines.js";

const colors = picocolors.createColors(false);
const model = { hash: contentHashSchema.parse("a".repeat(64)), size: 1 };
type Found = readonly (readonly [site: string, metrics: Readonly<Record<string, number>>])[];
const evaluated = (owner: string, found: Found, more: Partial<EvaluatedModel> = {}): EvaluatedModel => ({
  owner,
  model,
  round: 3,
  found: found.map(([site, metrics]) => ({ site, metrics })),
  missing: [],
  ...more,
});
const evaluation = (...models: readonly EvaluatedModel[]): ModelEvaluation => ({ models, notHandedIn: [], isOver: true });
const lines = (of: ModelEvaluation, columns = 80, keyMetric?: string): string[] => evaluationLines(of, { colors, columns, keyMetric });

/** So many sites that each hand in a model and find something of that of each. */
function among(sites: number, metrics: Readonly<Record<string, number>>): ModelEvaluation {
  const names = Array.from({ length: sites }, (_, i) => `site-${i + 1}`);
  return evaluation(
    ...names.map((owner) =>
      evaluated(
        owner,
        names.map((site) => [site, metrics]),
      ),
    ),
  );
}

describe("what is shown of an evaluation", () => {
  it("is a table of models by sites for each metric, the one of the best model first, with a dash for what is missing", () => {
    const first = evaluated("SRV_FL_global_model", [
      ["site-1", { accuracy: 0.91, loss: 0.25 }],
      ["site-2", { accuracy: 0.88 }],
    ]);
    const second = evaluated("site-1", [["site-2", { accuracy: 0.5, loss: 1_234_567 }]], { missing: [{ site: "site-1", why: "broken" }] });
    const both = { ...evaluation(first, second), workflow: "matrix" };
    expect(lines(both, 80, "loss")).toEqual([
      "matrix: loss, models by sites",
      "MODEL                site-1    site-2",
      "SRV_FL_global_model  0.2500         -",
      "site-1                    -  1.235e+6",
      "matrix: accuracy, models by sites",
      "MODEL                site-1  site-2",
      "SRV_FL_global_model  0.9100  0.8800",
      "site-1                    -  0.5000",
    ]);
    expect(evaluationData(both)).toEqual({
      workflow: "matrix",
      models: [
        { owner: "SRV_FL_global_model", round: 3, model: model.hash, missing: [] },
        { owner: "site-1", round: 3, model: model.hash, missing: [{ site: "site-1", why: "broken" }] },
      ],
      results: {
        "site-1": { SRV_FL_global_model: { accuracy: 0.91, loss: 0.25 } },
        "site-2": { SRV_FL_global_model: { accuracy: 0.88 }, "site-1": { accuracy: 0.5, loss: 1_234_567 } },
      },
      notHandedIn: [],
    });
  });

  it.each([
    [20, 6],
    [40, 12],
    [80, 12],
    [120, 12],
  ])("fits a terminal of %i columns, and goes on in further tables with sites that have no room beside the others", (columns, most) => {
    const shown = lines(among(12, { accuracy: 0.5 }), columns).filter((line) => !/models by sites|more;/.test(line));
    for (const line of shown) expect(line.length).toBeLessThanOrEqual(columns);
    const titles = shown.filter((line) => line.startsWith("MODEL")).flatMap((line) => line.split(/ +/).slice(1));
    const all = Array.from({ length: 12 }, (_, i) => `site-${i + 1}`).toSorted();
    expect(titles).toEqual(all.slice(0, most));
  });

  it("is of a large federation its beginning, and how much more there is", () => {
    const metrics = Object.fromEntries(Array.from({ length: 12 }, (_, i) => [`m${10 + i}`, i]));
    const shown = lines(among(200, metrics));
    expect(shown.length).toBeLessThan(200);
    expect(shown.at(-1)).toMatch(/^ {2}and 11 metrics, 170 models, \d+ sites more; --format json has them all$/);
    expect(lines(among(3, metrics)).at(-1)).toBe("  and 6 metrics more; --format json has them all");
  });

  it("says so where no site has found anything", () => {
    expect(lines(evaluation(evaluated("SRV_FL_global_model", [])))).toEqual(["no metrics of any model"]);
  });

  it("does not steer the terminal of whoever looks at it, and cuts names that no line holds", () => {
    const evil = "\u001b[2J\u001b]0;owned\u0007\nall is well";
    const long = "s".repeat(63);
    const shown = lines({ ...evaluation(evaluated(long, [[long, { [evil]: 1, ["m".repeat(65_000)]: 2 }]])), workflow: evil }, 40);
    for (const line of shown) {
      expect(line).not.toMatch(/\p{Cc}/u);
      expect(line.length).toBeLessThan(120);
    }
    expect(shown[1]).toHaveLength(40);
  });
});
