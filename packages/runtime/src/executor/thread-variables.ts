/** Variables by which the libraries under PyTorch, NumPy and their kin are told how many threads to compute with. */
export const threadVariables = ["OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"] as const;
