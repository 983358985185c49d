export * from "./generated/flare/v1/flare_pb.js";
