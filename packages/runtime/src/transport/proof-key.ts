/** Metadata key under which a call carries its proof, where TLS ends at a proxy: `<sequence number>.<HMAC in base64url>`. */
export const proofKey = "flare-call-proof";
