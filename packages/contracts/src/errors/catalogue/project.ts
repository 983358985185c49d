/** Errors of the area `project`. */
export const projectErrors = {} as const;
