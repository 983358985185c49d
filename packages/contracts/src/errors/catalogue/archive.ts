import { row } from "./row.js";

const askForNewArchive = "Ask whoever sent the archive to send it again.";

/** Errors of the area `archive`: zip files that people hand to each other. */
export const archiveErrors = {
  "archive/unreadable": row("user", "An archive is damaged, or is no zip file that every tool reads the same way.", askForNewArchive),
  "archive/too-large": row(
    "user",
    "An archive holds more, or unpacks to more, than it may.",
    `${askForNewArchive} It may hold only what the command that made it put in.`,
  ),
  "archive/unsafe-path": row(
    "user",
    "An archive holds a name that could end up outside of its folder, or that is not the same file everywhere.",
    `Do not unpack it with another tool. ${askForNewArchive}`,
  ),
  "archive/private-key": row(
    "user",
    "An archive that travels holds a private key, which must never leave the participant's machine.",
    "Treat the key as known to others: the participant makes a new request, and the archive is deleted.",
  ),
  "archive/encrypted": row(
    "user",
    "An archive is encrypted where it must not be, is not where it must be, or with a method that is not safe.",
    "Ask for an archive made by this software; AES-256 is the one encryption that is accepted.",
  ),
  "archive/wrong-passphrase": row(
    "user",
    "The passphrase does not open the archive.",
    "Type it as it was shown, dashes included; without it the archive has to be made again.",
  ),
} as const;
