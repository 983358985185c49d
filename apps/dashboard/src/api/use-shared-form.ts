import { type UseFormInput, type UseFormReturnType, useForm } from "@mantine/form";
import { useEffect, useState } from "react";
import { mergeValues, valueAt, withValueAt } from "./merge-values.js";

/** What somebody else saved while a form was being filled, and in which fields both differ. */
export interface Clash {
  /** Name of who saved it. */
  readonly by: string | null;
  readonly fields: readonly { readonly path: string; readonly theirs: unknown }[];
}

/** A form for something that others change as well. */
export interface SharedForm<V extends Record<string, unknown>> {
  readonly form: UseFormReturnType<V>;
  /** Version that what the form says is a change of; older than the saved one as long as a clash is undecided. */
  readonly version: number;
  readonly clash: Clash | null;
  /** Goes on with what was typed, or with what somebody else saved. */
  readonly decide: (whose: "mine" | "theirs") => void;
  /** To be called with the values that are sent, and once the answer is there. */
  readonly begin: () => void;
  readonly end: (sent: V | null) => void;
}

export interface SharedFormInit<V extends Record<string, unknown>> extends Pick<UseFormInput<V>, "validate"> {
  /** What is saved, as the form's values. */
  readonly saved: V;
  readonly version: number;
  readonly changedBy: string | null;
}

/**
 * A form that keeps what was typed into it when somebody else saves meanwhile: fields that nobody typed into follow, and where both
 * changed the same the person decides.
 */
export function useSharedForm<V extends Record<string, unknown>>({
  saved,
  version,
  changedBy,
  validate,
}: SharedFormInit<V>): SharedForm<V> {
  const form = useForm<V>({ initialValues: saved, ...(validate === undefined ? {} : { validate }) });
  // What it began with, or what was saved when it was last merged.
  const [base, setBase] = useState({ values: saved, version });
  const [clash, setClash] = useState<Clash | null>(null);
  const [isSending, setSending] = useState(false);
  const text = JSON.stringify(saved);
  const accept = (values: V): void => {
    setBase({ values: saved, version });
    if (JSON.stringify(values) !== JSON.stringify(form.getValues())) form.setValues(values);
    setClash(null);
  };
  // biome-ignore lint/correctness/useExhaustiveDependencies: what is saved is compared by its text
  useEffect(() => {
    // What is under way comes back as saved, perhaps without a space at its end.
    if (isSending) return;
    const { values, clashes } = mergeValues({ base: base.values, mine: form.getValues(), theirs: saved });
    // oxlint-disable-next-line react/set-state-in-effect -- the form keeps its values elsewhere, and follows here
    if (clashes.length === 0) accept(values);
    else setClash({ by: changedBy, fields: clashes.map((path) => ({ path, theirs: valueAt(saved, path) })) });
    // oxlint-disable-next-line react-hooks/exhaustive-deps -- what is saved is compared by its text, and typing merges nothing
  }, [text, version, isSending]);
  return {
    form,
    version: base.version,
    clash,
    decide: (whose) => {
      const { values, clashes } = mergeValues({ base: base.values, mine: form.getValues(), theirs: saved });
      accept(whose === "mine" ? values : clashes.reduce((next, path) => withValueAt(next, path, valueAt(saved, path)), values));
    },
    begin: () => setSending(true),
    end: (sent) => {
      if (sent !== null) setBase({ ...base, values: sent });
      setSending(false);
    },
  };
}
