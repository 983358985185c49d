/** Errors of the area `client-api`. */
export const clientApiErrors = {} as const;
