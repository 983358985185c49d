import { z } from "zod";
import { adminNameSchema, defaultStudy, simpleNameSchema, siteNameSchema, studyNameSchema } from "../ids/names.js";
import { limits } from "../limits.js";

const entry = z
  .strictObject({
    site_orgs: z.record(simpleNameSchema, z.array(siteNameSchema).max(limits.studyMembers)).nullish(),
    admins: z.array(adminNameSchema).max(limits.studyMembers).nullish(),
  })
  .superRefine(({ site_orgs }, context) => {
    const seen = new Set<string>();
    for (const [org, sites] of Object.entries(site_orgs ?? {})) {
      sites.forEach((site, i) => {
        if (seen.has(site)) context.addIssue({ code: "custom", path: ["site_orgs", org, i], message: `'${site}' is named twice` });
        seen.add(site);
      });
    }
  });

/** `study_registry.json`: the sites and the admins of each study. FLARE's form. */
export const studyRegistrySchema = z.strictObject({
  format_version: z.literal("1.0"),
  studies: z.record(studyNameSchema, entry.nullable()).superRefine((studies, context) => {
    if (Object.hasOwn(studies, defaultStudy))
      context.addIssue({ code: "custom", path: [defaultStudy], message: `'${defaultStudy}' is the study of all sites and admins` });
    if (Object.keys(studies).length > limits.studies)
      context.addIssue({ code: "custom", path: [], message: `more than ${limits.studies} studies` });
  }),
});

export type StudyRegistryDocument = z.input<typeof studyRegistrySchema>;
