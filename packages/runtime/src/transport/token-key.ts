/** Metadata key under which a call carries its session's token, as `Bearer <token>`. */
export const tokenKey = "authorization";
