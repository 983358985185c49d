/**
 * Seconds of other systems at the same tasks, measured on 2 virtual CPUs of an AMD EPYC (Zen 4) on 2026-11-23: NVIDIA FLARE
 * at a snapshot of 2026-08-21, Flower 1.28.0; each with real processes over TLS on one machine, and its defaults.
 */
export const peers = Object.freeze({
  round: { flare: 2.5, flower: 6.0 },
  /** FLARE as shipped, and without the five seconds that its supervisor sleeps first. */
  startUp: { flare: 7.4, flareWithoutSleep: 3 },
  /** Whole models of float32 both ways, two sites, whose trainers add 1: seconds a round, and memory as a multiple of the model. */
  large: [
    {
      megabytes: 100,
      flare: { seconds: 5.2, serverTimes: 13.1, siteTimes: 6.8 },
      flower: { seconds: 8.2, serverTimes: 14.2, siteTimes: 9.2 },
    },
    {
      megabytes: 400,
      flare: { seconds: 17.7, serverTimes: 9.6, siteTimes: 3.4 },
      flower: { seconds: 25.8, serverTimes: 10.6, siteTimes: 5.8 },
    },
  ],
});
