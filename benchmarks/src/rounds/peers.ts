/**
 * Seconds of other systems at the same tasks, measured on 2 virtual CPUs of an AMD EPYC (Zen 4) on 2026-11-23: NVIDIA FLARE
 * at a snapshot of 2026-08-21, Flower 1.28.0; each with real processes over TLS on one machine, and its defaults.
 */
export const peers = Object.freeze({
  round: { flare: 2.5, flower: 6.0 },
  /** FLARE as shipped, and without the five seconds that its supervisor sleeps first. */
  startUp: { flare: 7.4, flareWithoutSleep: 3 },
});
