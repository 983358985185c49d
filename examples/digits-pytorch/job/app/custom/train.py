"""A site's part: train the model that came on the site's own images, and tell how good models are on them."""

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
    if flare.is_evaluate():
        flare.send(flare.FLModel(metrics=metrics))
        continue
    # What is handed in for evaluation is trained alike: what this site alone makes of the last model.
    train(net, images, digits, EPOCHS, seed=received.current_round)
    print(f"{flare.get_task_name()} {received.current_round}: {metrics['accuracy']:.3f} of this site's images were told right before training")
    flare.send(flare.FLModel(params=net.state_dict(), metrics=metrics, meta={"NUM_STEPS_CURRENT_ROUND": len(images)}))
