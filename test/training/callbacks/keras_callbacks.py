"""Writes keras.json: what Keras's callbacks do with series of metrics that the tests give ours.

    python keras_callbacks.py > keras.json     # with Keras 3.15 and a backend
"""

import json
import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import keras
import numpy as np

SERIES = {
    "valley": [1.0, 0.8, 0.7, 0.75, 0.71, 0.72, 0.69, 0.9, 0.9, 0.9, 0.9, 0.9],
    "plateau": [1.0, 0.5, 0.5, 0.49995, 0.4999, 0.5, 0.5, 0.5, 0.5, 0.5, 0.3, 0.3, 0.3, 0.3],
    "rising": [0.1, 0.2, 0.3, 0.25, 0.2, 0.2, 0.4, 0.39, 0.38, 0.37, 0.36, 0.35],
}
STOPPING = [
    {"patience": 0},
    {"patience": 2},
    {"patience": 3, "min_delta": 0.05},
    {"patience": 2, "mode": "max"},
    {"patience": 1, "start_from_epoch": 4},
    {"patience": 3, "baseline": 0.45},
    {"patience": 2, "restore_best_weights": True, "min_delta": -0.02},
]
PLATEAU = [
    {"patience": 2, "factor": 0.5},
    {"patience": 1, "factor": 0.1, "cooldown": 2},
    {"patience": 2, "factor": 0.5, "min_lr": 0.04},
    {"patience": 2, "factor": 0.5, "min_delta": 0.0, "mode": "max"},
    {"patience": 3, "factor": 0.2, "cooldown": 1, "min_delta": 0.05},
]


class Dummy:
    def __init__(self):
        self.stop_training = False
        self.weights = -1
        self.optimizer = keras.optimizers.SGD(0.1)
        self.metrics = []

    def get_weights(self):
        return self.weights

    def set_weights(self, weights):
        self.weights = weights


def stopping(options, series):
    model, callback = Dummy(), keras.callbacks.EarlyStopping(**options)
    callback.set_model(model)
    callback.on_train_begin()
    epochs = 0
    for epoch, value in enumerate(series):
        model.weights = epoch
        callback.on_epoch_end(epoch, {"val_loss": value})
        epochs += 1
        if model.stop_training:
            break
    callback.on_train_end()
    return {"options": options, "epochs": epochs, "best": callback.best_epoch, "weights": model.weights}


def plateau(options, series):
    model, callback = Dummy(), keras.callbacks.ReduceLROnPlateau(**options)
    callback.set_model(model)
    callback.on_train_begin()
    rates = []
    for epoch, value in enumerate(series):
        callback.on_epoch_end(epoch, {"val_loss": value})
        rates.append(float(np.float32(model.optimizer.learning_rate)))
    return {"options": options, "rates": rates}


json.dump(
    {
        "keras": keras.__version__,
        "series": SERIES,
        "stopping": {name: [stopping(o, s) for o in STOPPING] for name, s in SERIES.items()},
        "plateau": {name: [plateau(o, s) for o in PLATEAU] for name, s in SERIES.items()},
    },
    sys.stdout,
    indent=1,
)
print()
