"""Made `job/app/initial_model.safetensors`: the network as PyTorch initialises it, from a fixed seed."""

import os
import sys

here = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(here, "job", "app", "custom"), os.path.join(here, "..", "..", "clients", "python", "src")]

import torch  # noqa: E402
from flare_client.safetensors import write_safetensors  # noqa: E402
from flare_client.tensors import raw_tensors  # noqa: E402
from model import Net  # noqa: E402

torch.manual_seed(1)
write_safetensors(os.path.join(here, "job", "app", "initial_model.safetensors"), raw_tensors(Net().state_dict()).items())
