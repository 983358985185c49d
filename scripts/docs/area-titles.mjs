/** Heading of each area of the error catalogue. */
export const areaTitles = {
  aggregate: "Aggregation: models that do not fit together",
  auth: "Identity and rights: who may do what",
  cli: "The command line",
  "client-api": "Trainers: the Client API",
  document: "Files that a person writes",
  file: "Files and folders",
  gpu: "GPUs: what computes on them",
  internal: "Faults and interruptions",
  job: "Jobs",
  kit: "Startup kits",
  poc: "POC: a federation on one machine",
  project: "Project files",
  runtime: "Server and sites at work",
  store: "State and models on disk",
  transfer: "Connections and transfers",
  trust: "Trust: roots and revocations",
};
