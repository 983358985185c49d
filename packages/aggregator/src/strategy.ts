/** How updates become a model; engines say which they know. */
export type Strategy = FedAvgStrategy;

/** The weighted mean of updates, tensor by tensor. */
export interface FedAvgStrategy {
  readonly name: "fed-avg";
}

/**
 * Federated averaging: each tensor is the mean of the contributors' tensors, weighted by their numbers of samples. A tensor
 * that only some contributors send is averaged over those.
 *
 * @see McMahan et al., "Communication-Efficient Learning of Deep Networks from Decentralized Data", AISTATS 2017
 */
export function fedAvg(): FedAvgStrategy {
  return { name: "fed-avg" };
}
