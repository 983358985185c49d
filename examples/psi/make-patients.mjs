// Writes the tables of three hospitals, the same each time: each has some of a city's 5,000 patients, and its own words about them.
//
//   node examples/psi/make-patients.mjs patients
import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";

const folder = process.argv[2] ?? "patients";
const hospitals = { "hospital-a": 0.8, "hospital-b": 0.7, "hospital-c": 0.6 };
const cityPatients = 5000;

/** A number from 0 to 1 that a text decides. */
const shareOf = (text) => createHash("sha256").update(text).digest().readUInt32BE() / 2 ** 32;
const idOf = (number) => `P-${createHash("sha256").update(`patient ${number}`).digest("hex").slice(0, 10)}`;

for (const [hospital, share] of Object.entries(hospitals)) {
  const numbers = Array.from({ length: cityPatients }, (_, number) => number).filter((number) => shareOf(`${hospital} ${number}`) < share);
  const rows = numbers.map((number) => `${idOf(number)},${20 + Math.floor(60 * shareOf(`age ${number}`))}`);
  mkdirSync(join(folder, hospital), { recursive: true });
  writeFileSync(join(folder, hospital, "patients.csv"), `${["patient_id,age", ...rows].join("\n")}\n`);
}
