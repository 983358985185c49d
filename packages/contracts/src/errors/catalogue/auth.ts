/** Errors of the area `auth`. */
export const authErrors = {} as const;
