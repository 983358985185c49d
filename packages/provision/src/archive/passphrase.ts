import { randomInt } from "node:crypto";

/** Digits and letters without those that are taken for each other: 0 o, 1 i l, u v. */
const letters = "23456789abcdefghjkmnpqrstwxyz";
const groups = 5;
const groupChars = 4;

/**
 * Makes a random passphrase of five groups of four letters and digits: log2(29^20), 97 bits. To be shown once.
 */
export function createPassphrase(): string {
  return Array.from({ length: groups }, () => Array.from({ length: groupChars }, randomLetter).join("")).join("-");
}

function randomLetter(): string {
  return letters[randomInt(letters.length)] ?? "";
}
