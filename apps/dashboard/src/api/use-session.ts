import { getSession, type Session } from "@flare-ts/dashboard-api/contract";
import { type QueryClient, type UseQueryResult, useQueryClient } from "@tanstack/react-query";
import { createContext, useContext } from "react";
import { keyOf, useApiQuery } from "./use-api-query.js";

/** Who is signed in on this page, and how one can. */
export function useSession(): UseQueryResult<Session> {
  return useApiQuery(getSession, {});
}

/** Takes over the session that a sign-in answered. Everything is asked anew; the pages of another person forget what there was. */
export function useAdoptSession(): (session: Session) => void {
  const client = useQueryClient();
  return (session) => {
    client.setQueryData(keyOf(getSession, {}), session);
    void client.invalidateQueries({ predicate: ({ queryKey }) => queryKey[0] !== getSession.id });
  };
}

/** Forgets everything but who is signed in. */
export function forgetAnswers(client: QueryClient): void {
  client.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== getSession.id });
}

type Profile = NonNullable<Session["person"]>;
const PersonContext = createContext<Profile | null>(null);

/** Tells the pages below it who looks at them. */
export const PersonProvider = PersonContext.Provider;

/** The person who is signed in; only below `PersonProvider`. */
export function usePerson(): Profile {
  const person = useContext(PersonContext);
  if (person === null) throw new Error("usePerson outside of PersonProvider");
  return person;
}
