"""keras_first.py save|run FOLDER: saves the chapter's CNN, or loads it and predicts one image."""
import os
import sys

os.environ['TF_CPP_MIN_LOG_LEVEL'] = '3'
os.environ.setdefault('KERAS_BACKEND', 'tensorflow')
import keras
import numpy as np

mode, folder = sys.argv[1:]
L = keras.layers


def conv(filters, size=3):
    return L.Conv2D(filters, size, padding='same', activation='relu')


if mode == 'save':
    keras.Sequential([
        keras.Input((28, 28, 1)), conv(64, 7), L.MaxPooling2D(), conv(128), conv(128), L.MaxPooling2D(),
        conv(256), conv(256), L.MaxPooling2D(), L.Flatten(), L.Dense(128, 'relu'), L.Dropout(0.5),
        L.Dense(64, 'relu'), L.Dropout(0.5), L.Dense(10, 'softmax')]).save(folder + '/fashion.keras')
else:
    model = keras.models.load_model(folder + '/fashion.keras')
    print(model.predict(np.ones((1, 28, 28, 1), 'float32'), verbose=0).shape)
