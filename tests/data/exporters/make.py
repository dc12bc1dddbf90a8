#!/usr/bin/env python3
"""Writes small networks as PyTorch, Keras (through tf2onnx) and scikit-learn (through skl2onnx) export them.

    make.py pytorch|keras|sklearn

Beside every NAME.onnx stands NAME.json: what made it, one input (images channels first, as FFConv takes them), the
framework's own scores for it (or, where the network ends in a softmax, the logarithms of its probabilities), and
whether the network is a chain, which encrypted inference needs.
"""

import json
import sys
from pathlib import Path

import numpy

FOLDER = Path(__file__).resolve().parent


def write(name, model, versions, pixels, scores, chain=True, softmax=False):
    """`model` is the bytes of the file; pixels and scores are of one image."""
    (FOLDER / f"{name}.onnx").write_bytes(model)
    record = {"made_by": versions, "chain": chain, "log_softmax": softmax,
              "input": [float(x) for x in numpy.asarray(pixels, numpy.float32).reshape(-1)],
              "scores": [float(x) for x in numpy.asarray(scores).reshape(-1)]}
    (FOLDER / f"{name}.json").write_text(json.dumps(record) + "\n")
    print(f"{name}: {len(model)} bytes")


def pytorch():
    import io
    import onnx
    import torch
    from torch import nn
    from torch.nn import functional as F
    torch.manual_seed(1)

    class Chain(nn.Module):
        """Batch normalization before and after convolutions, asymmetric padding, pooling, both kinds of square."""

        def __init__(self):
            super().__init__()
            self.before, self.conv1, self.after = nn.BatchNorm2d(3), nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4)
            self.conv2 = nn.Conv2d(4, 5, 3, stride=2, bias=False)
            self.pool, self.dense, self.last = nn.AvgPool2d(2), nn.Linear(30, 6), nn.Linear(6, 3)

        def forward(self, x):
            x = self.after(self.conv1(self.before(x)))
            x = self.pool(x * x)
            x = self.conv2(F.pad(x, (1, 2, 0, 1)))
            x = 0.25 * x ** 2 + 0.5 * x + 0.125
            x = torch.flatten(x, 1)
            return self.last(F.dropout(torch.square(self.dense(x)), training=self.training))

    class Views(nn.Module):
        """Shapes computed from the image's, pixels normalized in the network, a softmax at the end."""

        def __init__(self):
            super().__init__()
            self.register_buffer("mean", torch.tensor([0.4, 0.5]).view(1, 2, 1, 1))
            self.register_buffer("std", torch.tensor([0.2, 0.3]).view(1, 2, 1, 1))
            self.pad = nn.ConstantPad2d((0, 1, 2, 0), 0.0)
            self.conv = nn.Conv2d(2, 4, 3, dilation=2, groups=2)
            self.dense, self.last = nn.Linear(36, 5), nn.Linear(5, 3)

        def forward(self, x):
            x = self.conv(self.pad((x - self.mean) / self.std))
            x = F.avg_pool2d(x, 3, stride=2, padding=1, count_include_pad=False)
            x = x.pow(2).permute(0, 2, 3, 1).reshape(x.shape[0], -1)
            x = self.dense(x)
            return self.last((x * x).view(x.size(0), -1))

    class Residual(nn.Module):
        """A skip connection, two branches joined, adaptive pooling. Not a chain."""

        def __init__(self):
            super().__init__()
            self.conv1, self.conv2 = nn.Conv2d(2, 4, 3, padding=1), nn.Conv2d(4, 4, 3, padding=1)
            self.norm = nn.BatchNorm2d(4)
            self.left, self.right = nn.Conv2d(4, 2, 1), nn.Conv2d(4, 3, 3, padding=1)
            self.dense = nn.Linear(5, 3)

        def forward(self, x):
            x = self.conv1(x)
            x = x + self.norm(self.conv2(x * x))
            x = torch.cat([self.left(x), self.right(x)], 1)
            x = F.adaptive_avg_pool2d(x, 1).squeeze(-1).squeeze(-1)
            return F.log_softmax(self.dense(x), 1)

    def randomize(network):
        for part in network.modules():
            if isinstance(part, nn.BatchNorm2d):
                nn.init.normal_(part.running_mean)
                nn.init.uniform_(part.running_var, 0.5, 2)
                nn.init.normal_(part.weight)
                nn.init.normal_(part.bias)
        return network.eval()

    versions = f"torch {torch.__version__}"
    shapes = {"chain": (3, 8, 8), "views": (2, 8, 9), "residual": (2, 6, 6)}
    networks = {"chain": Chain(), "views": Views(), "residual": Residual()}
    for kind, network in networks.items():
        pixels = torch.rand(1, *shapes[kind])
        randomize(network)
        for opset, folding, dynamic in ((9, True, False), (11, False, True), (13, True, True), (13, False, False),
                                        (17, False, True)):
            stream = io.BytesIO()
            torch.onnx.export(network, pixels, stream, opset_version=opset, do_constant_folding=folding,
                              dynamic_axes={"image": {0: "batch"}, "scores": {0: "batch"}} if dynamic else None,
                              input_names=["image"], output_names=["scores"])
            model = onnx.load_from_string(stream.getvalue())
            for node in model.graph.node:  # source lines, with paths
                node.ClearField("doc_string")
            name = f"pytorch_{kind}_{opset}{'' if folding else '_unfolded'}{'_dynamic' if dynamic else ''}"
            with torch.no_grad():
                write(name, model.SerializeToString(), versions, pixels, network(pixels),
                      chain=kind != "residual", softmax=kind == "residual")


def keras():
    import keras
    import tensorflow
    import tf2onnx
    from keras import layers
    keras.utils.set_random_seed(2)
    square = layers.Lambda(lambda x: x * x)

    chain = keras.Sequential([
        layers.Input((9, 9, 3)), layers.Rescaling(1 / 255), layers.Conv2D(4, 3, strides=2, padding="same"),
        layers.BatchNormalization(), layers.Lambda(lambda x: x * x), layers.ZeroPadding2D(((0, 1), (1, 0))),
        layers.AveragePooling2D(2, padding="valid"), layers.Conv2D(5, 2, use_bias=False),
        layers.Lambda(tensorflow.square), layers.Flatten(), layers.Dense(6), layers.Dropout(0.5), layers.Dense(3)])
    depthwise = keras.Sequential([
        layers.Input((8, 7, 1)), layers.Conv2D(4, (3, 2), dilation_rate=(2, 1)),
        layers.DepthwiseConv2D(3, padding="same"), layers.BatchNormalization(center=False, scale=False),
        layers.Lambda(lambda x: 0.5 * x ** 2 + x), layers.SeparableConv2D(3, 2, padding="same"),
        layers.AveragePooling2D(2, padding="same"), layers.GlobalAveragePooling2D(), layers.Dense(3),
        layers.Softmax()])
    image = layers.Input((6, 6, 2))
    x = layers.Conv2D(4, 3, padding="same")(image)
    y = layers.Conv2D(4, 3, padding="same")(layers.Lambda(lambda x: x * x)(x))
    x = layers.Concatenate()([layers.Add()([x, y]), layers.Conv2D(2, 1)(x)])
    residual = keras.Model(image, layers.Dense(3)(layers.Reshape((-1,))(x)))

    random = numpy.random.default_rng(2)
    versions = f"tensorflow {tensorflow.__version__}, keras {keras.__version__}, tf2onnx {tf2onnx.__version__}"
    for kind, network, opsets in (("chain", chain, (11, 13, 17)), ("depthwise", depthwise, (13, 17)),
                                  ("residual", residual, (15,))):
        for layer in network.layers:
            if isinstance(layer, layers.BatchNormalization):
                layer.set_weights([random.uniform(0.5, 2, w.shape) for w in layer.get_weights()])
        pixels = random.uniform(0, 2, (1, *network.input_shape[1:])).astype(numpy.float32)
        scores = network(pixels).numpy()
        for opset in opsets:
            for batch in (None, 1):
                signature = [tensorflow.TensorSpec((batch, *network.input_shape[1:]), tensorflow.float32, name="image")]
                function = tensorflow.function(lambda image: network(image, training=False), input_signature=signature)
                model, _ = tf2onnx.convert.from_function(function, input_signature=signature, opset=opset)
                write(f"keras_{kind}_{opset}{'' if batch else '_dynamic'}", model.SerializeToString(), versions,
                      pixels.transpose(0, 3, 1, 2), numpy.log(scores) if kind == "depthwise" else scores,
                      chain=kind != "residual", softmax=kind == "depthwise")


def sklearn():
    import skl2onnx
    import sklearn
    from sklearn.linear_model import LinearRegression, LogisticRegression
    from sklearn.neural_network import MLPClassifier, MLPRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    random = numpy.random.default_rng(3)
    features = random.normal(2, 3, (80, 12)).astype(numpy.float32)
    targets = features @ random.normal(size=(12, 3))
    classes = targets.argmax(1)
    versions = f"sklearn {sklearn.__version__}, skl2onnx {skl2onnx.__version__}"
    image = features[:1]

    def export(name, model, target, scores, softmax=False, **options):
        model.fit(features, target)
        proto = skl2onnx.to_onnx(model, image, options={id(model): options} if options else None)
        write(f"sklearn_{name}", proto.SerializeToString(), versions, image, scores(model), softmax=softmax)

    def both(decision):  # of two classes; skl2onnx writes a score each
        return [-decision[0], decision[0]]

    def logits(model):
        return numpy.log(model.predict_proba(image))

    def decision(model):
        return model.decision_function(image)

    export("logistic", make_pipeline(StandardScaler(), LogisticRegression()), classes, decision)
    export("logistic_no_map", make_pipeline(StandardScaler(), LogisticRegression()), classes, decision, zipmap=False)
    export("logistic_two", LogisticRegression(), classes == 1, lambda model: both(decision(model)))
    export("linear", LinearRegression(), targets, lambda model: model.predict(image))
    export("linear_one", make_pipeline(StandardScaler(with_std=False), LinearRegression()), targets[:, 0],
           lambda model: model.predict(image))
    export("mlp", make_pipeline(StandardScaler(), MLPClassifier(hidden_layer_sizes=(8,), activation="identity", max_iter=2000)), classes,
           logits, softmax=True)
    export("mlp_regressor", MLPRegressor(hidden_layer_sizes=(8,), activation="identity", max_iter=2000),
           targets[:, 0], lambda model: model.predict(image))


if __name__ == "__main__":
    makers = {"pytorch": pytorch, "keras": keras, "sklearn": sklearn}
    if len(sys.argv) != 2 or sys.argv[1] not in makers:
        sys.exit(__doc__)
    makers[sys.argv[1]]()
