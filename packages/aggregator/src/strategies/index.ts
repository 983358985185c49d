export { isOfSums, type Strategy } from "./strategy.js";
export { createStrategy, type StrategyComponents, type StrategyName, strategyNames } from "./strategy-names.js";
