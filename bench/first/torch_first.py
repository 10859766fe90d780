"""torch_first.py save|run FOLDER: saves the chapter's CNN, or loads it and predicts one image."""
import sys

import torch
from torch import nn

mode, folder = sys.argv[1:]


def conv(inputs, filters, size):
    return [nn.Conv2d(inputs, filters, size, padding='same'), nn.ReLU()]


def dense(inputs, units):
    return [nn.Linear(inputs, units), nn.ReLU(), nn.Dropout()]


net = nn.Sequential(
    *conv(1, 64, 7), nn.MaxPool2d(2), *conv(64, 128, 3), *conv(128, 128, 3), nn.MaxPool2d(2),
    *conv(128, 256, 3), *conv(256, 256, 3), nn.MaxPool2d(2), nn.Flatten(),
    *dense(2304, 128), *dense(128, 64), nn.Linear(64, 10), nn.Softmax(1))
if mode == 'save':
    torch.save(net.state_dict(), folder + '/fashion.pt')
else:
    net.load_state_dict(torch.load(folder + '/fashion.pt'))
    net.eval()
    with torch.no_grad():
        print(tuple(net(torch.ones(1, 1, 28, 28)).shape))
