import { Group, Stack, Text } from "@mantine/core";
import { Fact, Facts } from "../../components/facts.js";
import { formatBytes, formatDuration } from "../../components/format.js";
import { useNow } from "../../components/use-now.js";
import { madeOfText } from "../../jobs/buffered-work.js";
import { ownerName } from "../../jobs/evaluation.js";
import type { SitePhases, SiteProgress } from "../../jobs/phase-track.js";
import { isAnswered, type RoundView } from "../../jobs/round-view.js";
import { sumText } from "../../jobs/secure-sum.js";
import { useFederation } from "../../live/use-federation.js";
import { Waterfall } from "../../plots/waterfall.js";
import { RoundSites } from "./round-sites.js";

export interface RoundDetailProps {
  readonly jobId: string;
  readonly round: RoundView;
  /** Rounds that are shown before it, the oldest first: the turns of other sites, where sites take turns, or older models that sites are at work on. */
  readonly before: readonly RoundView[];
  readonly phases: SitePhases;
  readonly progress: Readonly<Record<string, SiteProgress>>;
  readonly isRunning: boolean;
}

/** What there is to say of a round. */
export function RoundDetail({ jobId, round, before, phases, progress, isRunning }: RoundDetailProps) {
  const federation = useFederation();
  const isOpen = round.closedMs === null && isRunning;
  const sites = [...round.sites.values()];
  // Where sites do not wait for each other, some are at work on its model when it has closed.
  const isUnderWay = isOpen || (isRunning && sites.some(({ state }) => state === "working"));
  const now = useNow(isUnderWay ? 1000 : 3_600_000);
  const answered = sites.filter(({ state }) => state === "answered").length;
  const lastMs = isUnderWay ? now : (round.closedMs ?? Math.max(round.openedMs, ...sites.map(({ answeredMs }) => answeredMs ?? 0)));
  const errors = new Map(
    (federation.data?.sites ?? []).flatMap(({ name, lastError }) =>
      isUnderWay && lastError?.jobId === jobId && lastError.atMs >= round.openedMs ? [[name, lastError] as const] : [],
    ),
  );
  const [first, ...rest] = [...before, round];
  return (
    <Stack gap="lg">
      <Facts>
        {round.kind !== "train" && <Fact name="Task">{round.task}</Fact>}
        {round.kind === "evaluate" && <Fact name="Model">{ownerName(round.evaluates)}</Fact>}
        {before.length > 0 && round.buffered === null ? (
          <Fact name="Turn of">{sites.map(({ site }) => site).join(", ")}</Fact>
        ) : (
          <Fact
            name={round.buffered === null ? "Answered" : "Given its model"}
          >{`${round.buffered === null ? "" : "answered by "}${answered} of ${sites.length}`}</Fact>
        )}
        {round.buffered !== null && <Fact name="Made of">{madeOfText(round)}</Fact>}
        {round.secureSum !== null && <Fact name="Secure sum">{sumText(round.secureSum)}</Fact>}
        <Fact name="Time">{`${formatDuration((round.closedMs ?? lastMs) - round.openedMs)}${isOpen ? " so far" : ""}`}</Fact>
        {round.kind !== "evaluate" && (
          <>
            <Fact name={round.kind === "submit" ? "Models" : isAnswered(round) ? "Answers" : "Updates"}>
              {formatBytes(round.bytes ?? sites.reduce((sum, { bytes }) => sum + (bytes ?? 0), 0))}
            </Fact>
            <Fact name="Aggregation">{round.aggregationSeconds === null ? "" : formatDuration(round.aggregationSeconds * 1000)}</Fact>
          </>
        )}
        <Fact name="Strategy">{round.strategy}</Fact>
        <Fact name="Engine">{round.engine}</Fact>
      </Facts>
      <Waterfall rounds={[first ?? round, ...rest]} phases={phases} nowMs={lastMs} />
      <RoundSites round={round} before={before} progress={isUnderWay ? progress : {}} errors={errors} nowMs={lastMs} />
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
