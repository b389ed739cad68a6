/** So many seeds a test goes through; `ELANUS_SIMULATION_SEEDS=1000 npm test simulat` is the long form. */
export const SIMULATED_SEEDS = Number(process.env.ELANUS_SIMULATION_SEEDS ?? 100);
