/** One element's optimizer, slow and obvious: each gives the new value of x for the mean change of a round. */
export type ReferenceOptimizer = (x: number, delta: number) => number;

/** Algorithm 2 of "Adaptive Federated Optimization" as it is printed, with float32 for what lasts between rounds. */
export function printedAlgorithm(
  kind: "adagrad" | "yogi" | "adam",
  { eta, beta1, beta2, tau }: { readonly eta: number; readonly beta1: number; readonly beta2: number; readonly tau: number },
): ReferenceOptimizer {
  let m = 0;
  let v = tau * tau;
  return (x, delta) => {
    const newM = beta1 * m + (1 - beta1) * delta;
    let newV: number;
    if (kind === "adagrad") newV = v + delta ** 2;
    else if (kind === "yogi") newV = v - (1 - beta2) * delta ** 2 * Math.sign(v - delta ** 2);
    else newV = beta2 * v + (1 - beta2) * delta ** 2;
    m = Math.fround(newM);
    v = Math.fround(newV);
    return x + (eta * newM) / (Math.sqrt(newV) + tau);
  };
}

/** `torch.optim.SGD` with dampening 0, as its documentation gives it, on the pseudo-gradient. */
export function torchSgd({ lr, momentum }: { readonly lr: number; readonly momentum: number }): ReferenceOptimizer {
  let buffer: number | undefined;
  return (x, delta) => {
    const gradient = -delta;
    const direction = buffer === undefined ? gradient : momentum * buffer + gradient;
    buffer = Math.fround(direction);
    return x - lr * direction;
  };
}

/** `torch.optim.Adam`, as its documentation gives it, on the pseudo-gradient. */
export function torchAdam({
  lr,
  betas: [beta1, beta2],
  eps,
}: {
  readonly lr: number;
  readonly betas: readonly [number, number];
  readonly eps: number;
}): ReferenceOptimizer {
  let m = 0;
  let v = 0;
  let t = 0;
  return (x, delta) => {
    t += 1;
    const gradient = -delta;
    const newM = beta1 * m + (1 - beta1) * gradient;
    const newV = beta2 * v + (1 - beta2) * gradient ** 2;
    m = Math.fround(newM);
    v = Math.fround(newV);
    const corrected = { m: newM / (1 - beta1 ** t), v: newV / (1 - beta2 ** t) };
    return x - (lr * corrected.m) / (Math.sqrt(corrected.v) + eps);
  };
}

/** `torch.optim.Adagrad`, as its documentation gives it, on the pseudo-gradient. */
export function torchAdagrad({ lr, eps }: { readonly lr: number; readonly eps: number }): ReferenceOptimizer {
  let sum = 0;
  return (x, delta) => {
    const gradient = -delta;
    const newSum = sum + gradient ** 2;
    sum = Math.fround(newSum);
    return x - (lr * gradient) / (Math.sqrt(newSum) + eps);
  };
}
