import { row } from "./row.js";

/** Errors of the area `certificate`: keys, requests for certificates, and who issues them. */
export const certificateErrors = {
  "certificate/request-invalid": row(
    "site",
    "A request for a certificate is damaged, is of another form, or was not signed with the key that it brings.",
    "Make the request anew with the key that the certificate is for.",
  ),
  "certificate/key-refused": row(
    "site",
    "The key that a certificate is asked for is of a kind or size that is not accepted.",
    "Make an RSA key of 2048 bits or more (4096 at most), or a key on the curve P-256, and a new request.",
  ),
} as const;
