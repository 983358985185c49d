import { Title } from "@mantine/core";
import { IconRefresh } from "@tabler/icons-react";
import { useState } from "react";
import { EmptyState } from "../../components/empty-state.js";
import { Section } from "../../components/section.js";
import { olderAtWork } from "../../jobs/buffered-work.js";
import type { SitePhases, SiteProgress } from "../../jobs/phase-track.js";
import { namesIn, takesTurns, type WorkflowView } from "../../jobs/workflow-view.js";
import { RoundDetail } from "./round-detail.js";
import { RoundPicker } from "./round-picker.js";
import { WorkflowSteps } from "./workflow-steps.js";

export interface JobRoundsProps {
  readonly jobId: string;
  readonly workflows: readonly WorkflowView[];
  readonly phases: SitePhases;
  readonly progress: Readonly<Record<string, SiteProgress>>;
  readonly isRunning: boolean;
}

/** A round of a workflow, both by their place. */
interface Place {
  readonly workflow: number;
  readonly round: number;
}

/** Most turns that are shown together. */
const mostTurns = 12;

/**
 * One round at a time: who has answered, who is late and why, and where its time went. Where sites take turns, the turns before it
 * too; where they do not wait for each other, who is at work on an older model.
 */
export function JobRounds({ jobId, workflows, phases, progress, isRunning }: JobRoundsProps) {
  const [picked, setPicked] = useState<Place | "latest">("latest");
  const latest: Place = { workflow: workflows.length - 1, round: (workflows.at(-1)?.rounds.length ?? 0) - 1 };
  const place = picked === "latest" || workflows[picked.workflow]?.rounds[picked.round] === undefined ? latest : picked;
  const workflow = workflows[place.workflow];
  const round = workflow?.rounds[place.round];
  if (workflow === undefined || round === undefined) {
    return (
      <Section title="Rounds">
        <EmptyState icon={<IconRefresh size={24} />} title="No round yet">
          {isRunning ? "The first round opens once enough sites are ready." : "This job did not get as far as a round."}
        </EmptyState>
      </Section>
    );
  }
  const pick = (next: Place): void => setPicked(next.workflow === latest.workflow && next.round === latest.round ? "latest" : next);
  const turns = takesTurns(workflow) ? Math.min(mostTurns, namesIn(workflow.rounds).length) - 1 : 0;
  const isNewest = place.workflow === latest.workflow && place.round === latest.round;
  const turnsBefore = workflow.rounds.slice(Math.max(0, place.round - turns), place.round);
  const before = round.buffered === null ? turnsBefore : isNewest && isRunning ? olderAtWork(workflow) : [];
  return (
    <Section
      title="Rounds"
      actions={
        <RoundPicker
          count={workflow.rounds.length}
          total={workflow.totalRounds}
          index={place.round}
          isFollowing={place === latest}
          onPick={(next) => (next === "latest" ? setPicked("latest") : pick({ workflow: place.workflow, round: next }))}
        />
      }
    >
      {workflow.id !== "" && (
        <>
          <WorkflowSteps
            workflows={workflows}
            index={place.workflow}
            onPick={(at) => pick({ workflow: at, round: (workflows[at]?.rounds.length ?? 1) - 1 })}
          />
          <Title order={3} mb="sm">
            {workflow.id}
          </Title>
        </>
      )}
      <RoundDetail jobId={jobId} round={round} before={before} phases={phases} progress={progress} isRunning={isRunning} />
    </Section>
  );
}
