"""What each site runs: it trains, evaluates a model, or hands in its own, as it is asked."""

import argparse

import nvflare.client as flare
from growth import grown
from nvflare.app_common.np.constants import NPConstants


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--step", type=float)
    step = parser.parse_args().step

    own = None
    flare.init()
    while flare.is_running():
        received = flare.receive()
        if flare.is_submit_model():
            flare.send(flare.FLModel(params={NPConstants.NUMPY_KEY: own}))
            continue
        array = received.params[NPConstants.NUMPY_KEY]
        metrics = {"mean": float(array.mean())}
        if flare.is_evaluate():
            flare.send(flare.FLModel(metrics=metrics))
            continue
        own = grown(array, step)
        flare.send(flare.FLModel(params={NPConstants.NUMPY_KEY: own}, metrics=metrics, meta={"NUM_STEPS_CURRENT_ROUND": 1}))


if __name__ == "__main__":
    main()
