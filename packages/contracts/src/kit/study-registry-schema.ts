import { z } from "zod";
import { adminNameSchema, defaultStudy, simpleNameSchema, siteNameSchema, studyNameSchema } from "../ids/names.js";
import { limits } from "../limits.js";

type Complain = (path: PropertyKey[], message: string) => void;

const study = z
  .strictObject({
    site_orgs: z.record(z.string(), z.array(siteNameSchema).max(limits.studyMembers)).nullish(),
    admins: z.array(adminNameSchema).max(limits.studyMembers).nullish(),
  })
  .superRefine(({ site_orgs }, context) => {
    const seen = new Set<string>();
    for (const [org, sites] of Object.entries(site_orgs ?? {})) {
      checkName(simpleNameSchema, org, ["site_orgs", org], complainTo(context));
      sites.forEach((site, i) => {
        if (seen.has(site)) complainTo(context)(["site_orgs", org, i], `'${site}' is named twice`);
        seen.add(site);
      });
    }
  });

/** `study_registry.json`: the sites and the admins of each study. FLARE's form. */
export const studyRegistrySchema = z.strictObject({
  format_version: z.literal("1.0"),
  studies: z.record(z.string(), study.nullable()).superRefine((studies, context) => {
    const complain = complainTo(context);
    const names = Object.keys(studies);
    if (names.length > limits.studies) complain([], `there are more than ${limits.studies} studies`);
    for (const name of names) {
      checkName(studyNameSchema, name, [name], complain);
      if (name === defaultStudy) complain([name], `'${defaultStudy}' is the study of all sites and admins`);
    }
  }),
});

/** `study_registry.json`, as it is written. */
export type StudyRegistryDocument = z.input<typeof studyRegistrySchema>;

function complainTo(context: { addIssue(issue: { code: "custom"; path: PropertyKey[]; message: string }): void }): Complain {
  return (path, message) => context.addIssue({ code: "custom", path, message });
}

function checkName(schema: z.ZodType, name: string, path: PropertyKey[], complain: Complain): void {
  const problem = schema.safeParse(name).error?.issues[0]?.message;
  if (problem !== undefined) complain(path, `the name '${name}' ${problem}`);
}
