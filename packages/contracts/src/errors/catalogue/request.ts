import { row } from "./row.js";

const askAgain = "Make a new request with flare cert request and send it.";
const askForApproval = "Ask the project admin to approve the request again.";

/** Errors of the area `request`: asking for a certificate, approving, and making a kit from the approval. */
export const requestErrors = {
  "request/invalid": row("user", "A file of a request or of its approval has mistakes.", "Correct the lines that the message names."),
  "request/incomplete": row(
    "user",
    "A request or an approval lacks a file, or holds one that does not belong there.",
    "Use the archive as flare cert wrote it; do not pack it anew.",
  ),
  "request/mismatch": row(
    "user",
    "The parts of a request or an approval contradict each other: names, roles or hashes.",
    `Do not approve or use it. ${askAgain}`,
  ),
  "request/wrong-project": row("user", "A request or an approval is for another project.", "Use the archive of the right project."),
  "request/refused": row("user", "The project admin did not approve the request.", "Nothing was issued."),
  "request/name-taken": row(
    "user",
    "A certificate for this name was issued before, for another key.",
    "Find out who asks. If the participant lost its key, revoke the old certificate, then approve with --force.",
  ),
  "request/key-revoked": row(
    "user",
    "A certificate for the same key was revoked.",
    "The participant makes a new key with flare cert request --force and sends that request.",
  ),
  "request/signature-invalid": row("user", "An approval was not signed by the root certificate that it brings.", askForApproval),
  "request/certificate-invalid": row(
    "user",
    "The certificate of an approval is not good for who asked: wrong issuer, key, name, role or dates.",
    askForApproval,
  ),
  "request/fingerprint-mismatch": row(
    "user",
    "The root certificate of an approval is another one than the project admin named.",
    "Do not use the archive. Compare the fingerprint with the project admin over another way than the archive came.",
  ),
  "request/not-found": row(
    "user",
    "The request that an approval answers, with its private key, is not on this machine.",
    "Run flare package where flare cert request was run, or name the request's folder with --request-dir.",
  ),
  "request/key-mismatch": row(
    "user",
    "The private key in the request's folder is not the one that the certificate was made for.",
    "Name the folder of the right request with --request-dir.",
  ),
  "request/other-root": row(
    "user",
    "Kits of another root certificate are in the same folder already.",
    "Name another workspace with -w, or move the old kits away.",
  ),
  "cli/passphrase-needed": row(
    "user",
    "The passphrase of the certificate authority's key was not given.",
    "Set FLARE_CA_PASSPHRASE, give --ca-passphrase-file, or run the command in a terminal, where it asks.",
  ),
  "request/authority-invalid": row(
    "user",
    "The folder of the certificate authority cannot be used: a file is missing, damaged or does not fit to the others.",
    "Name the folder that flare cert init wrote, or restore it from a backup.",
  ),
} as const;
