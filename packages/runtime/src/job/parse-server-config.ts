import {
  appConfigWarnings,
  readDocument,
  type ServerConfigDocument,
  serverConfigSchema,
  strategyOf,
  type WorkflowArgs,
} from "@flare-ts/contracts";
import { fedBuffProblems, type StrategyProblem, scaffoldProblems, strategyProblems } from "../workflow/job-strategy.js";
import type { JobDocument } from "./job-documents.js";

/** Contracts do not know the aggregator, so its strategies are checked here. */
const checkedServerConfig = serverConfigSchema.superRefine(({ workflows }, context) => {
  workflows.forEach(({ args }, index) => {
    for (const { setting, message } of problemsOf(args)) {
      // Without a name of its own the strategy is the one that `fedprox_mu` stands for, which is checked where it is read.
      const place = setting === undefined ? ["strategy"] : ["strategy_args", setting];
      context.addIssue({ code: "custom", path: ["workflows", index, "args", ...place], message });
    }
  });
});

function problemsOf(args: WorkflowArgs): readonly StrategyProblem[] {
  if (args.kind === "FedBuff") return fedBuffProblems(args.strategy_args);
  if (args.kind === "Scaffold") return scaffoldProblems(args.strategy_args);
  return args.kind === "FedAvg" ? strategyProblems(strategyOf(args)) : [];
}

/** @throws FlareError `job/invalid` with file and line of each mistake. */
export function parseServerConfig(text: string, file: string): JobDocument<ServerConfigDocument> {
  const document = readDocument({ text, file, schema: checkedServerConfig, code: "job/invalid" });
  return { document, warnings: appConfigWarnings(document) };
}
