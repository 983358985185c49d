import {
  type Job,
  type LinkState,
  listInvitations,
  listKits,
  listPeople,
  type Profile,
  type Project,
} from "@flare-ts/dashboard-api/contract";
import { Button } from "@mantine/core";
import { IconArrowRight, IconCheck } from "@tabler/icons-react";
import { Link } from "wouter";
import { useApiQuery } from "../../api/use-api-query.js";
import { Section } from "../../components/section.js";
import type { AnySite } from "../sites/all-sites.js";
import classes from "./next-steps.module.css";
import { adminSteps, orgAdminSteps, type Step } from "./steps.js";

export interface NextStepsProps {
  readonly project: Project;
  readonly person: Profile;
  readonly sites: readonly AnySite[];
  readonly link: LinkState | undefined;
  readonly jobs: readonly Job[];
}

/** The way from nothing to a running federation, with what is done and what comes next; gone once it is walked. */
export function NextSteps({ project, person, sites, link, jobs }: NextStepsProps) {
  const isAdmin = person.role === "project_admin";
  const people = useApiQuery(listPeople, {}, { isEnabled: isAdmin });
  const invitations = useApiQuery(listInvitations, {}, { isEnabled: isAdmin });
  const kits = useApiQuery(listKits, {});
  // Where everything was provisioned elsewhere, the way to a running federation leads elsewhere too.
  if (project.isElsewhere || (!isAdmin && person.role !== "org_admin")) return null;
  if (kits.data === undefined || (isAdmin && (people.data === undefined || invitations.data === undefined))) return null;
  const steps = isAdmin
    ? adminSteps({
        project,
        sites,
        jobs,
        people: people.data?.people ?? [],
        invitations: invitations.data?.invitations ?? [],
        kits: kits.data.kits,
        isServerReached: link?.isConnected === true,
      })
    : orgAdminSteps({ project, sites: sites.filter(({ organization }) => organization === person.organization) });
  const next = steps.find(({ isDone }) => !isDone);
  if (next === undefined) return null;
  return (
    <Section title="What to do next" about={`${steps.filter(({ isDone }) => isDone).length} of ${steps.length} done`}>
      <ol className={classes["steps"]}>
        {steps.map((step, index) => (
          <StepRow key={step.title} step={step} number={index + 1} isNext={step === next} />
        ))}
      </ol>
    </Section>
  );
}

function StepRow({ step, number, isNext }: { readonly step: Step; readonly number: number; readonly isNext: boolean }) {
  return (
    <li
      className={`${classes["step"]} ${isNext ? classes["next"] : ""} ${step.isDone ? classes["done"] : ""}`}
      aria-current={isNext ? "step" : undefined}
    >
      <span className={classes["mark"]}>{step.isDone ? <IconCheck size={14} aria-label="done" /> : number}</span>
      <div className={classes["words"]}>
        <div className={classes["title"]}>{step.title}</div>
        {isNext && <div className={classes["about"]}>{step.about}</div>}
      </div>
      {isNext && (
        <Button component={Link} href={step.href} size="compact-md" rightSection={<IconArrowRight size={14} />}>
          {step.verb}
        </Button>
      )}
    </li>
  );
}
