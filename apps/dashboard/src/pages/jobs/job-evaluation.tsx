import { Group, Input, NativeSelect, Text } from "@mantine/core";
import { IconTable } from "@tabler/icons-react";
import { useId, useMemo, useState } from "react";
import { EmptyState } from "../../components/empty-state.js";
import { count } from "../../components/format.js";
import { Section } from "../../components/section.js";
import { evaluationFaults, evaluationMetrics, evaluationOf } from "../../jobs/evaluation.js";
import type { WorkflowView } from "../../jobs/workflow-view.js";
import { EvaluationTable } from "./evaluation-table.js";

export interface JobEvaluationProps {
  readonly workflow: WorkflowView;
  readonly isRunning: boolean;
}

/** What sites measured of models: a table by model and site of a metric that can be chosen, and what is not in it, and why. */
export function JobEvaluation({ workflow, isRunning }: JobEvaluationProps) {
  const [chosen, choose] = useState<string | null>(null);
  const selectId = useId();
  const metrics = useMemo(() => evaluationMetrics(workflow), [workflow]);
  const metric = metrics.find((one) => one === chosen) ?? metrics[0] ?? "";
  const evaluation = useMemo(() => evaluationOf(workflow, metric), [workflow, metric]);
  const faults = useMemo(() => evaluationFaults(workflow), [workflow]);
  const isGoing = isRunning && workflow.endReason === null;
  return (
    <Section
      title={workflow.id === "" ? "Evaluation" : `Evaluation: ${workflow.id}`}
      about={workflow.endReason ?? progressOf(workflow)}
      actions={
        metrics.length > 1 && (
          <Group gap={8}>
            <Input.Label htmlFor={selectId} size="xs">
              Metric
            </Input.Label>
            <NativeSelect
              id={selectId}
              size="xs"
              data={[...metrics]}
              value={metric}
              onChange={(event) => choose(event.currentTarget.value)}
            />
          </Group>
        )
      }
    >
      {evaluation.rows.length === 0 ? (
        <EmptyState icon={<IconTable size={24} />} title="No model was evaluated yet">
          {isGoing ? "The table grows once the sites have handed in their models." : "The job ended before any was."}
        </EmptyState>
      ) : (
        <>
          <EvaluationTable evaluation={evaluation} metric={metric} />
          {metric !== "" && (
            <Text size="xs" c="dimmed" mt="xs">
              The larger a value, the stronger its colour.
            </Text>
          )}
        </>
      )}
      {faults.length > 0 && (
        <>
          <Text component="h3" size="sm" fw={600} mt="md">
            What is missing
          </Text>
          <ul>
            {faults.map((fault) => (
              <li key={fault}>
                <Text size="sm" component="span">
                  {fault}
                </Text>
              </li>
            ))}
          </ul>
        </>
      )}
    </Section>
  );
}

function progressOf({ rounds, totalRounds }: WorkflowView): string {
  const submitting = rounds.find(({ kind }) => kind === "submit");
  const evaluated = rounds.filter(({ kind, closedMs }) => kind === "evaluate" && closedMs !== null).length;
  if (submitting?.closedMs === null) {
    const answered = [...submitting.sites.values()].filter(({ state }) => state === "answered").length;
    return `${answered} of ${count(submitting.sites.size, "site")} handed in a model`;
  }
  return `${evaluated} of ${count(totalRounds - (submitting === undefined ? 0 : 1), "model")} evaluated`;
}
