"""A small network for images of 8x8 pixels, and the tables that it learns from."""

import csv
import gzip
from typing import Tuple

import torch
from torch import nn

LABELS = 10
# Times that a site goes through its images in a round.
EPOCHS = 2


class Net(nn.Module):
    """Two convolutions and a linear layer: 19,454 parameters."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()
        )
        self.head = nn.Sequential(nn.Linear(32 * 4 * 4, 28), nn.ReLU(), nn.Linear(28, LABELS))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.head(self.features(images))


def read_table(path: str) -> Tuple[torch.Tensor, torch.Tensor]:
    """Images as (n, 1, 8, 8) with values from 0 to 1, and their digits."""
    with gzip.open(path, "rt", newline="") as file:
        rows = list(csv.reader(file))[1:]
    numbers = torch.tensor([[float(cell) for cell in row] for row in rows])
    return numbers[:, :64].reshape(-1, 1, 8, 8) / 16, numbers[:, 64].long()


def train(net: Net, images: torch.Tensor, digits: torch.Tensor, epochs: int, seed: int) -> None:
    """Stochastic gradient descent with momentum, in an order that the seed decides."""
    order = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.03, momentum=0.9)
    net.train()
    for _ in range(epochs):
        for batch in torch.randperm(len(images), generator=order).split(32):
            optimizer.zero_grad()
            nn.functional.cross_entropy(net(images[batch]), digits[batch]).backward()
            optimizer.step()


def accuracy(net: Net, images: torch.Tensor, digits: torch.Tensor) -> float:
    """Share of images whose digit is told right."""
    net.eval()
    with torch.no_grad():
        return (net(images).argmax(1) == digits).float().mean().item()
