#!/usr/bin/env python3
"""Loads models that Fovea wrote into Keras, and compares their outputs.

    python scripts/check-keras-export.py expected.json model.keras model.h5 model.weights.h5

expected.json: {"shape": [n, ...], "x": [...], "y": [...]}, the inputs, flat, and what Fovea's `predict` made of them.
Weights (.weights.h5) are loaded into the model of the first file. Needs Keras 3 (bash bench/peers/setup.sh DIR makes
DIR/keras/bin/python). Exits with 1 when an output is off by more than 1e-4.
"""
import json
import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np

TOLERANCE = 1e-4


def main() -> int:
    if len(sys.argv) < 3:
        print(__doc__)
        return 2
    with open(sys.argv[1]) as file:
        expected = json.load(file)
    x = np.array(expected["x"], "float32").reshape(expected["shape"])
    y = np.array(expected["y"])
    worst = 0.0
    for path in sys.argv[2:]:
        if path.endswith(".weights.h5"):
            model = keras.saving.load_model(sys.argv[2])
            model.set_weights([np.zeros_like(w) for w in model.get_weights()])
            model.load_weights(path)
        else:
            model = keras.saving.load_model(path)
        error = float(np.abs(np.ravel(model.predict(x, verbose=0)) - y).max())
        worst = max(worst, error)
        print(f"{path}: off by {error:.2e}", flush=True)
    return 0 if worst <= TOLERANCE else 1


if __name__ == "__main__":
    sys.exit(main())
