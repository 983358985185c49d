import { count } from "../../components/format.js";
import { isEvaluation } from "../../jobs/evaluation.js";
import { closedRounds, isIntersection, isStatistics, takesTurns, type WorkflowView } from "../../jobs/workflow-view.js";
import classes from "./workflow-steps.module.css";

export interface WorkflowStepsProps {
  readonly workflows: readonly WorkflowView[];
  /** Which one is shown, from 0. */
  readonly index: number;
  readonly onPick: (index: number) => void;
}

/** The workflows of a job in their order, how far each is, and the choice of the one whose rounds are shown. */
export function WorkflowSteps({ workflows, index, onPick }: WorkflowStepsProps) {
  return (
    <ol className={classes["steps"]} aria-label="Workflows">
      {workflows.map((workflow, at) => (
        <li key={workflow.id}>
          <button type="button" className={classes["step"]} aria-pressed={at === index} onClick={() => onPick(at)}>
            <span className={classes["name"]}>{workflow.id}</span>
            <span className={classes["about"]}>
              {kindOf(workflow)} · {closedRounds(workflow)} of {count(workflow.totalRounds, "round")}
            </span>
          </button>
        </li>
      ))}
    </ol>
  );
}

function kindOf(workflow: WorkflowView): string {
  if (isStatistics(workflow)) return "statistics";
  if (isIntersection(workflow)) return "intersection";
  return isEvaluation(workflow) ? "evaluation" : takesTurns(workflow) ? "training in turns" : "training";
}
