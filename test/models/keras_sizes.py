"""Makes keras-sizes.json: what keras.applications' networks give for images of odd sizes, other widths and heads.

Needs the Keras of bench/peers/setup.sh: FOLDER/keras/bin/python test/models/keras_sizes.py, then npx prettier --write
test/models/keras-sizes.json. Weights and images come from the fill of test/golden/README.md, with seeds and bounds by
the rules below, which keras-sizes.test.ts repeats.
"""

import json
import math
import os
import pathlib

os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", CUDA_VISIBLE_DEVICES="")
import keras
import numpy as np

CONFIGS = [
    ("mobileNet", "MobileNet", dict(alpha=0.5, input_shape=(127, 96, 3), classes=10)),
    ("mobileNet", "MobileNet", dict(input_shape=(97, 131, 3), include_top=False, pooling="max")),
    ("mobileNetV2", "MobileNetV2", dict(alpha=0.35, input_shape=(97, 99, 3), classes=10)),
    ("mobileNetV2", "MobileNetV2", dict(alpha=1.4, input_shape=(96, 64, 3), include_top=False, pooling="avg")),
    ("efficientNetB0", "EfficientNetB0", dict(input_shape=(75, 93, 3), classes=10)),
    ("efficientNetB3", "EfficientNetB3", dict(input_shape=(101, 64, 3), include_top=False, pooling="max")),
    ("denseNet169", "DenseNet169", dict(input_shape=(61, 81, 3), classes=10)),
    ("kerasResNet50", "ResNet50", dict(input_shape=(71, 93, 3), include_top=False, pooling="max")),
    ("resNet101V2", "ResNet101V2", dict(input_shape=(75, 78, 3), classes=10)),
    ("xception", "Xception", dict(input_shape=(80, 95, 3), classes=10)),
    ("inceptionV3", "InceptionV3", dict(input_shape=(101, 77, 3), include_top=False, pooling="max")),
    ("inceptionResNetV2", "InceptionResNetV2", dict(input_shape=(79, 83, 3), include_top=False)),
    ("vgg16", "VGG16", dict(input_shape=(40, 57, 3), include_top=False, pooling="max")),
    ("vgg19", "VGG19", dict(input_shape=(33, 47, 3), classes=5)),
]
SEED = 5_000_000


def fill(shape, seed, lo, hi):
    low32 = np.uint64(0xFFFFFFFF)
    i = np.arange(int(np.prod(shape)), dtype=np.uint64)
    x = ((i + np.uint64((seed * 0x9E3779B9) & 0xFFFFFFFF)) & low32).astype(np.uint32)
    for shift, factor in ((16, 0x7FEB352D), (15, 0x846CA68B)):
        x ^= x >> np.uint32(shift)
        x = (x.astype(np.uint64) * np.uint64(factor) & low32).astype(np.uint32)
    x ^= x >> np.uint32(16)
    return (lo + (hi - lo) * (x.astype(np.float64) / 4294967296)).astype(np.float32).reshape(shape)


def bounds(path, shape):
    name = path.split("/")[-1]
    if "kernel" in name:
        depthwise = len(shape) == 4 and shape[3] == 1
        limit = math.sqrt(6 / np.prod(shape[:2] if depthwise else shape[:-1]))
        return -limit, limit
    if path.startswith("normalization/"):
        return (0.4, 0.5) if name == "mean" else (0.05, 0.06)
    return {"moving_variance": (0.5, 1.5), "gamma": (0.5, 1.2)}.get(name, (-0.1, 0.1))


made = []
for number, (ours, theirs, args) in enumerate(CONFIGS):
    keras.backend.clear_session()
    scores = dict(classifier_activation=None) if args.get("include_top", True) else {}
    model = getattr(keras.applications, theirs)(weights=None, **args, **scores)
    values = []
    for k, weight in enumerate(model.weights):
        shape = list(weight.shape)
        seed = SEED + 10_000 * number + k
        count = weight.path == "normalization/count"
        values.append(np.zeros((), np.int32) if count else fill(shape, seed, *bounds(weight.path, shape)))
    model.set_weights(values)
    for layer in model.layers:
        if hasattr(layer, "finalize_state"):
            layer.finalize_state()
    shape = [2, *args["input_shape"]]
    low, high = (0, 255) if theirs.startswith("Efficient") else (-1, 1)
    y = model(fill(shape, SEED - 1 - number, low, high), training=False).numpy()
    camel = {"input_shape": "inputShape", "include_top": "includeTop"}
    made.append(
        dict(
            model=ours,
            options={camel.get(key, key): value for key, value in args.items()},
            params=model.count_params(),
            layers=len(model.layers),
            outputShape=list(y.shape),
            largest=float(f"{np.abs(y).max():.9g}"),
            first=[float(f"{v:.9g}") for v in y.ravel()[:12]],
            last=[float(f"{v:.9g}") for v in y.ravel()[-12:]],
        )
    )
lines = ",\n".join(json.dumps(entry) for entry in made)
target = pathlib.Path(__file__).with_name("keras-sizes.json")
target.write_text(f'{{"generator": "keras {keras.__version__}", "seed": {SEED}, "models": [\n{lines}\n]}}\n')
