import { describe, expect, it } from "vitest";
import { evaluationFiles } from "./evaluation-files.js";

describe("the files of a job's evaluations", () => {
  it("have FLARE's name for the first, and names that no two share and every system takes for the others", () => {
    const ids = ["first", "final", "../../x/ä", "FINAL", "e".repeat(5000), "..", undefined];
    const evaluations = ids.map((workflow) => ({
      ...(workflow === undefined ? {} : { workflow }),
      models: [],
      notHandedIn: [],
      isOver: true,
    }));
    expect(evaluationFiles(evaluations).map(({ path }) => path)).toEqual([
      "cross_site_val/cross_val_results.json",
      "cross_site_val/cross_val_results_2_final.json",
      "cross_site_val/cross_val_results_3__x_.json",
      "cross_site_val/cross_val_results_4_FINAL.json",
      `cross_site_val/cross_val_results_5_${"e".repeat(60)}.json`,
      "cross_site_val/cross_val_results_6__.json",
      "cross_site_val/cross_val_results_7.json",
    ]);
  });
});
