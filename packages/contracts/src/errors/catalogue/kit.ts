import { grpcStatus, row } from "./row.js";

const askForNewKit = "Ask the project's admin for this participant's kit again, and unpack it into an empty folder.";

/** Errors of the area `kit`. */
export const kitErrors = {
  "kit/not-a-folder": row(
    "site",
    "The startup kit's path does not lead to a folder.",
    "Give the folder that holds the kit's startup folder.",
    {
      grpc: grpcStatus.notFound,
      http: 404,
    },
  ),
  "kit/not-a-kit": row("site", "The folder holds no startup kit.", "Give the folder that holds the kit's startup folder."),
  "kit/ambiguous": row("site", "The folder holds the files of more than one startup kit.", askForNewKit),
  "kit/wrong-type": row(
    "site",
    "The startup kit belongs to another kind of participant.",
    "Give a kit of the kind that the command needs.",
  ),
  "kit/file-missing": row("site", "A file of the startup kit is missing.", askForNewKit),
  "kit/invalid": row("site", "A configuration file of the startup kit has mistakes.", `Do not edit files in startup. ${askForNewKit}`),
  "kit/local-invalid": row("site", "A file in the kit's local folder has mistakes.", "Correct the lines that the message names."),
  "kit/not-supported": row(
    "site",
    "The startup kit asks for something that this version does not support yet.",
    "Ask the project's admin for a kit without what the message names, or use a version that has it.",
  ),
  "kit/certificate-unreadable": row("site", "A certificate or key of the startup kit cannot be read as one.", askForNewKit),
  "kit/key-exposed": row(
    "site",
    "Other accounts of this machine can use the kit's private key.",
    "Run the chmod command that the message shows.",
  ),
  "kit/key-mismatch": row("site", "The kit's private key does not belong to its certificate.", askForNewKit),
  "kit/untrusted-certificate": row("site", "The kit's certificate was not issued by the kit's root certificate.", askForNewKit),
  "kit/identity-mismatch": row("site", "The kit's configuration and its certificate name different identities.", askForNewKit),
  "kit/expired": row(
    "site",
    "A certificate of the startup kit has expired.",
    "Check this machine's clock. If it is right, ask for a new kit.",
  ),
  "kit/revoked": row(
    "site",
    "The project trusts this kit's certificate no more: it was revoked.",
    "Ask the project's admin, who knows the reason; a participant that comes back gets a new certificate.",
  ),
  "kit/not-yet-valid": row("site", "A certificate of the startup kit is not valid yet.", "Check this machine's clock and time zone."),
  "kit/approval-mismatch": row(
    "site",
    "A kit that flare package made says something else than the project admin approved.",
    "Make the kit again with flare package. If the approval itself is refused, ask the project admin to approve the request again.",
  ),
  "kit/signature-missing": row("site", "The startup kit carries no signatures.", askForNewKit),
  "kit/signature-mismatch": row("site", "A file of the startup kit was changed after it was signed.", askForNewKit),
  "kit/signed-file-missing": row("site", "A file that was signed with the startup kit is missing.", askForNewKit),
  "kit/unsigned-file": row(
    "site",
    "The kit's startup folder holds a file that was not signed with the kit.",
    "Move the file out of startup.",
  ),
} as const;
