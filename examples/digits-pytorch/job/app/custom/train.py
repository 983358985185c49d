"""A site's part: train the model that came on the site's own images, and send what has become of it."""

import flare_client as flare
import torch
from model import EPOCHS, Net, accuracy, read_table, train

# Two runs give the same bytes: one thread, and an order of the images that follows from the round.
torch.set_num_threads(1)
net = Net()
flare.init()
images, digits = read_table(flare.system_info()["datasets"]["digits"])

while flare.is_running():
    received = flare.receive()
    net.load_state_dict(received.params)
    metrics = {"accuracy": accuracy(net, images, digits)}
    train(net, images, digits, EPOCHS, seed=received.current_round)
    print(f"round {received.current_round}: {metrics['accuracy']:.3f} of this site's images were told right before training")
    flare.send(flare.FLModel(params=net.state_dict(), metrics=metrics, meta={"NUM_STEPS_CURRENT_ROUND": len(images)}))
