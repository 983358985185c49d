"""What ``import nvflare`` finds in a process that a script of NVIDIA FLARE's has started: its submodules are answered from then on."""

from flare_client.nvflare_names import find_nvflare_names

find_nvflare_names()
