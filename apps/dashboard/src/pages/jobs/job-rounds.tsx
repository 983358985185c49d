import { Group, Stack, Text } from "@mantine/core";
import { IconRefresh } from "@tabler/icons-react";
import { useState } from "react";
import { EmptyState } from "../../components/empty-state.js";
import { Fact, Facts } from "../../components/facts.js";
import { formatBytes, formatDuration } from "../../components/format.js";
import { Section } from "../../components/section.js";
import { useNow } from "../../components/use-now.js";
import type { RoundView } from "../../jobs/fold-journal.js";
import type { SitePhases, SiteProgress } from "../../jobs/phase-track.js";
import { useFederation } from "../../live/use-federation.js";
import { Waterfall } from "../../plots/waterfall.js";
import { RoundPicker } from "./round-picker.js";
import { RoundSites } from "./round-sites.js";

export interface JobRoundsProps {
  readonly jobId: string;
  readonly rounds: readonly RoundView[];
  readonly phases: SitePhases;
  readonly progress: Readonly<Record<string, SiteProgress>>;
  readonly isRunning: boolean;
}

/** One round at a time: who has answered, who is late and why, and where its time went. */
export function JobRounds({ jobId, rounds, phases, progress, isRunning }: JobRoundsProps) {
  const [picked, setPicked] = useState<number | "latest">("latest");
  const index = picked === "latest" ? rounds.length - 1 : Math.min(picked, rounds.length - 1);
  const round = rounds[index];
  if (round === undefined) {
    return (
      <Section title="Rounds">
        <EmptyState icon={<IconRefresh size={24} />} title="No round yet">
          {isRunning ? "The first round opens once enough sites are ready." : "This job did not get as far as a round."}
        </EmptyState>
      </Section>
    );
  }
  return (
    <Section
      title="Rounds"
      actions={
        <RoundPicker
          count={rounds.length}
          total={round.totalRounds}
          index={index}
          isFollowing={picked === "latest"}
          onPick={(next) => setPicked(next === rounds.length - 1 ? "latest" : next)}
        />
      }
    >
      <RoundDetail jobId={jobId} round={round} phases={phases} progress={progress} isRunning={isRunning} />
    </Section>
  );
}

function RoundDetail({ jobId, round, phases, progress, isRunning }: Omit<JobRoundsProps, "rounds"> & { readonly round: RoundView }) {
  const federation = useFederation();
  const isOpen = round.closedMs === null && isRunning;
  const now = useNow(isOpen ? 1000 : 3_600_000);
  const sites = [...round.sites.values()];
  const answered = sites.filter(({ state }) => state === "answered").length;
  const lastMs = round.closedMs ?? (isOpen ? now : Math.max(round.openedMs, ...sites.map(({ answeredMs }) => answeredMs ?? 0)));
  const errors = new Map(
    (federation.data?.sites ?? []).flatMap(({ name, lastError }) =>
      isOpen && lastError?.jobId === jobId && lastError.atMs >= round.openedMs ? [[name, lastError] as const] : [],
    ),
  );
  return (
    <Stack gap="lg">
      <Facts>
        <Fact name="Answered">{`${answered} of ${sites.length}`}</Fact>
        <Fact name="Time">{`${formatDuration(lastMs - round.openedMs)}${isOpen ? " so far" : ""}`}</Fact>
        <Fact name="Updates">
          {round.bytes === null ? formatBytes(sites.reduce((sum, { bytes }) => sum + (bytes ?? 0), 0)) : formatBytes(round.bytes)}
        </Fact>
        <Fact name="Aggregation">{round.aggregationSeconds === null ? "" : formatDuration(round.aggregationSeconds * 1000)}</Fact>
        <Fact name="Strategy">{round.strategy}</Fact>
        <Fact name="Engine">{round.engine}</Fact>
      </Facts>
      <Waterfall round={round} phases={phases} nowMs={lastMs} />
      <RoundSites round={round} progress={isOpen ? progress : {}} errors={errors} nowMs={lastMs} />
      {round.deadlineMs !== null && (
        <Group>
          <Text size="sm" c="var(--ink-warn)">
            This round passed its deadline after {formatDuration(round.deadlineMs - round.openedMs)}.
          </Text>
        </Group>
      )}
    </Stack>
  );
}
