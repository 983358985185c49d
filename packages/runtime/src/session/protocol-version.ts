/** Version of the wire protocol that this software speaks. */
export const protocolVersion = 1;
