"""The federated model beside those of each site alone and of all images in one place, on images that none of them has seen.

`python3 compare.py FL_global_model.safetensors`
"""

import json
import os
import sys

here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(here, "job", "app", "custom"))

import torch  # noqa: E402
from model import EPOCHS, LABELS, Net, accuracy, read_table, train  # noqa: E402

SITES = ("site-1", "site-2", "site-3")


def load(path: str) -> Net:
    """A model is a safetensors file: the length of a header, the header, and the numbers (float32 here), one tensor after the other."""
    with open(path, "rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        data = bytearray(file.read())
    header.pop("__metadata__", None)
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        tensors[name] = torch.frombuffer(data, dtype=torch.float32, count=(end - begin) // 4, offset=begin).reshape(entry["shape"])
    net = Net()
    net.load_state_dict(tensors)
    return net


def table(name: str) -> "tuple[torch.Tensor, torch.Tensor]":
    return read_table(os.path.join(here, "data", name, "digits.csv.gz"))


def rounds() -> int:
    """Rounds of the job, so that everybody trains for as long."""
    with open(os.path.join(here, "job", "app", "config", "config_fed_server.json"), encoding="utf-8") as file:
        return json.load(file)["workflows"][0]["args"]["num_rounds"]


def trained_on(*sites: str) -> Net:
    net = load(os.path.join(here, "job", "app", "initial_model.safetensors"))
    images, digits = (torch.cat(parts) for parts in zip(*map(table, sites)))
    for round_number in range(rounds()):
        train(net, images, digits, EPOCHS, seed=round_number)
    return net


def main(path: str) -> None:
    torch.set_num_threads(1)
    models = {"federated": load(path), **{f"{site} alone": trained_on(site) for site in SITES}, "pooled": trained_on(*SITES)}
    held_out = table("held-out")
    print(f"{'model':<16}{'accuracy':>9}   by digit, 0 to {LABELS - 1}")
    for name, net in models.items():
        by_digit = [accuracy(net, held_out[0][held_out[1] == digit], held_out[1][held_out[1] == digit]) for digit in range(LABELS)]
        print(f"{name:<16}{accuracy(net, *held_out):>9.3f}   {' '.join(f'{share:.2f}' for share in by_digit)}")


if __name__ == "__main__":
    main(sys.argv[1])
