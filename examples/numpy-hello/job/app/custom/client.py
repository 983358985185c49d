"""Each site adds 1 to every number of the model. The imports are those of a script for NVIDIA FLARE."""

import argparse

import nvflare.client as flare
from nvflare.app_common.np.constants import NPConstants
from nvflare.client.tracking import SummaryWriter

parser = argparse.ArgumentParser()
parser.add_argument("--update_type", choices=["full", "diff"], default="full")
is_diff = parser.parse_args().update_type == "diff"

flare.init()
site = flare.system_info()["site_name"]
writer = SummaryWriter()

while flare.is_running():
    received = flare.receive()
    weights = received.params[NPConstants.NUMPY_KEY]
    trained = weights + 1
    mean = float(trained.mean())
    print(f"{site}, round {received.current_round}: {weights.tolist()} becomes {trained.tolist()}")
    writer.add_scalar("weight_mean", mean, global_step=received.current_round)
    flare.send(
        flare.FLModel(
            params={NPConstants.NUMPY_KEY: trained - weights if is_diff else trained},
            params_type=flare.ParamsType.DIFF if is_diff else flare.ParamsType.FULL,
            metrics={"weight_mean": mean},
            meta={"NUM_STEPS_CURRENT_ROUND": 1},
        )
    )
