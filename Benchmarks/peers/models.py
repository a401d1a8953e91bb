"""The models of the comparison: those of Examples, and generated ones with random weights of a fixed seed.

`all_models(folder)` writes the generated ones and returns every model with its inputs and the useful work of a sequence:
multiply-adds of products, convolutions and attention counted as two operations each, at the positions that exist.
"""

import dataclasses
import pathlib
from typing import Callable

import numpy
from onnx import TensorProto, checker, helper, numpy_helper, save

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


@dataclasses.dataclass(frozen=True)
class Model:
    name: str
    file: pathlib.Path
    # Features of a position, or None where positions are tokens.
    features: int | None
    # Names of the inputs; a mask is [B, 1, L], lengths are int32 [B]; None where the model has none.
    sequence: str
    mask: str | None
    lengths: str | None
    # Whether the sequence input is [B, C, L] instead of [B, L, C].
    channels_first: bool
    # Operations of one sequence of a length.
    operations: Callable[[int], float]
    letters: int = 20
    output: str = "predictions"

    @property
    def served(self):
        """What `seqnorm serve` is given, a file or the folder of versions; its name is the model's in paths."""
        return self.file if self.file.stem != "model" else self.file.parent.parent


class Graph:
    """Nodes and weights while a graph is written."""

    def __init__(self, seed, prefix="w"):
        self.random, self.nodes, self.weights, self.count = numpy.random.default_rng(seed), [], [], 0
        self.prefix = prefix

    def __call__(self, kind, *inputs, outputs=1, **attributes):
        self.count += 1
        names = [f"{kind}_{self.count}" + (f"_{index}" if outputs > 1 else "") for index in range(outputs)]
        self.nodes.append(helper.make_node(kind, list(inputs), names, **attributes))
        return names[0] if outputs == 1 else names

    def constant(self, values, kind="float32"):
        self.count += 1
        self.weights.append(numpy_helper.from_array(numpy.asarray(values, kind), f"{self.prefix}_{self.count}"))
        return self.weights[-1].name

    def normal(self, *shape, scale=None):
        scale = scale or 1 / numpy.sqrt(shape[-2] if len(shape) == 2 else numpy.prod(shape[1:]))
        return self.constant(self.random.standard_normal(shape) * scale)

    def batch_normalization(self, x, channels):
        return self("BatchNormalization", x, self.constant(self.random.uniform(0.5, 1.5, channels)),
                    self.normal(channels, scale=0.1), self.normal(channels, scale=0.1),
                    self.constant(self.random.uniform(0.5, 1.5, channels)))

    def layer_normalization(self, x, width):
        return self("LayerNormalization", x, self.constant(self.random.uniform(0.5, 1.5, width)),
                    self.normal(width, scale=0.1), axis=-1)

    def linear(self, x, rows, columns):
        return self("Add", self("MatMul", x, self.normal(rows, columns)), self.normal(columns, scale=0.1))

    def convolution(self, x, inputs, outputs, kernel, dilation):
        pad = dilation * (kernel - 1) // 2
        return self("Conv", x, self.normal(outputs, inputs, kernel), self.normal(outputs, scale=0.1),
                    dilations=[dilation], kernel_shape=[kernel], pads=[pad, pad])

    def masked_mean(self, x, axis, mask):
        """Of [B, C, L] with a mask [B, 1, L], or of [B, L, C] with one of [B, L, 1]."""
        axes = self.constant([axis], "int64")
        total = self("ReduceSum", self("Mul", x, mask), axes, keepdims=0)
        return self("Div", total, self("ReduceSum", mask, axes, keepdims=0))

    def write(self, file, inputs, output, shape):
        graph = helper.make_graph(
            self.nodes, file.stem, [helper.make_tensor_value_info(*each) for each in inputs],
            [helper.make_tensor_value_info(output, TensorProto.FLOAT, shape)], self.weights)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
        checker.check_model(model)
        save(model, file)

    def answer(self, value):
        self.nodes.append(helper.make_node("Identity", [value], ["predictions"]))


TOKENS = ("tokens", TensorProto.INT64, ["batch", "time"])
MASK = ("mask", TensorProto.FLOAT, ["batch", 1, "time"])


def bytenet(file, channels=128, blocks=6, kernel=5, classes=10):
    g = Graph(1)
    x = g("Transpose", g("Gather", g.normal(20, channels, scale=1), "tokens"), perm=[0, 2, 1])
    x = g("Mul", x, "mask")
    for block in range(blocks):
        y = g.batch_normalization(g.convolution(x, channels, channels, kernel, 2 ** (block % 4)), channels)
        x = g("Add", x, g("Mul", g("Relu", y), "mask"))
    g.answer(g.linear(g.masked_mean(x, 2, "mask"), channels, classes))
    g.write(file, [TOKENS, MASK], "predictions", ["batch", classes])
    return Model("bytenet-128x6", file, None, "tokens", "mask", None, True,
                 lambda n: 2 * n * blocks * kernel * channels ** 2)


def convolutions(file, features=12, channels=64, kernel=5, classes=9):
    g = Graph(2)
    x, widths = "x", [features, channels, channels, channels]
    for layer, (inputs, outputs) in enumerate(zip(widths, widths[1:])):
        y = g.batch_normalization(g.convolution(x, inputs, outputs, kernel, 1 << layer), outputs)
        x = g("Mul", g("Relu", y), "mask")
    g.answer(g.linear(g.masked_mean(x, 2, "mask"), channels, classes))
    g.write(file, [("x", TensorProto.FLOAT, ["batch", features, "time"]), MASK], "predictions", ["batch", classes])
    return Model("convolutions-64x3", file, features, "x", "mask", None, True,
                 lambda n: 2 * n * kernel * channels * (features + 2 * channels))


def bigru(file, width=64, hidden=128, classes=10):
    g = Graph(3)
    x = g("Transpose", g("Gather", g.normal(20, width, scale=1), "tokens"), perm=[1, 0, 2])
    y, _ = g("GRU", x, g.normal(2, 3 * hidden, width, scale=width ** -0.5),
             g.normal(2, 3 * hidden, hidden, scale=hidden ** -0.5), g.normal(2, 6 * hidden, scale=0.1), "lengths",
             outputs=2, hidden_size=hidden, direction="bidirectional", linear_before_reset=1)
    rows = g("Reshape", g("Transpose", y, perm=[2, 0, 1, 3]), g.constant([0, 0, 2 * hidden], "int64"))
    g.answer(g.linear(rows, 2 * hidden, classes))
    g.write(file, [TOKENS, ("lengths", TensorProto.INT32, ["batch"])], "predictions", ["batch", "time", classes])
    return Model("bigru-128", file, None, "tokens", None, "lengths", True,
                 lambda n: 2 * n * (2 * 3 * hidden * (width + hidden) + 2 * hidden * classes))


def transformer(file, width=128, layers=4, heads=4, classes=10, longest=2048, causal=False):
    """An encoder, or a decoder: no position sees a later one."""
    g = Graph(4)
    depth = width // heads
    x = g("Gather", g.normal(20, width, scale=1), "tokens")
    zero, one = (g.constant([index], "int64") for index in (0, 1))
    length = g("Gather", g("Shape", "tokens"), one)
    angles = numpy.arange(longest)[:, None] / 10000 ** (numpy.arange(0, width, 2) / width)[None]
    table = g.constant(numpy.concatenate([numpy.sin(angles), numpy.cos(angles)], 1))
    x = g("Add", x, g("Slice", table, zero, length, zero))
    shut = g("Mul", g("Sub", g.constant(1.0), g("Unsqueeze", "mask", one)), g.constant(-1e9))
    if causal:
        both = g("Concat", length, length, axis=0)
        shut = g("Add", shut, g("Trilu", g("Expand", g.constant(-1e9), both), g.constant(1, "int64")))
    for _ in range(layers):
        y = g.layer_normalization(x, width)
        split = g.constant([0, 0, heads, depth], "int64")
        q, k, v = (g("Transpose", g("Reshape", g.linear(y, width, width), split), perm=perm)
                   for perm in ([0, 2, 1, 3], [0, 2, 3, 1], [0, 2, 1, 3]))
        scores = g("Add", g("Mul", g("MatMul", q, k), g.constant(depth ** -0.5)), shut)
        y = g("Transpose", g("MatMul", g("Softmax", scores, axis=-1), v), perm=[0, 2, 1, 3])
        x = g("Add", x, g.linear(g("Reshape", y, g.constant([0, 0, width], "int64")), width, width))
        y = g.linear(g.layer_normalization(x, width), width, 4 * width)
        half = g("Mul", y, g.constant(0.5))
        y = g("Mul", half, g("Add", g("Erf", g("Mul", y, g.constant(0.5 ** 0.5))), g.constant(1.0)))
        x = g("Add", x, g.linear(y, 4 * width, width))
    x = g.layer_normalization(x, width)
    g.answer(g.linear(g.masked_mean(x, 1, g("Transpose", "mask", perm=[0, 2, 1])), width, classes))
    g.write(file, [TOKENS, MASK], "predictions", ["batch", classes])
    return Model("decoder-128x4" if causal else "transformer-128x4", file, None, "tokens", "mask", None, True,
                 lambda n: 2 * n * layers * (12 * width ** 2 + 2 * n * width))


def decoder(file):
    return transformer(file, causal=True)


def bnlstm(file, features=32, hidden=64, steps=40, classes=9):
    """An LSTM with batch normalization frozen for each of its first `steps` steps, as `seqnorm freeze` leaves it."""
    body, g = Graph(5, "b"), Graph(6)

    def normalized(value, width, has_bias):
        mean = body("Gather", body.normal(steps, width, scale=0.1), "now", axis=0)
        variance = body("Gather", body.constant(body.random.uniform(0.5, 1.5, (steps, width))), "now", axis=0)
        deviation = body("Sqrt", body("Add", variance, epsilon))
        y = body("Mul", body("Div", body("Sub", value, mean), deviation),
                 body.constant(body.random.uniform(0.3, 0.9, width)))
        return body("Add", y, body.normal(width, scale=0.1)) if has_bias else y

    epsilon = body.constant(1e-5)
    body.nodes.append(helper.make_node("Min", ["t", body.constant(steps - 1, "int64")], ["now"]))
    gates = body("Add", normalized(body("MatMul", "x_t", body.normal(features, 4 * hidden)), 4 * hidden, False),
                 normalized(body("MatMul", "h", body.normal(hidden, 4 * hidden)), 4 * hidden, False))
    gates = body("Add", gates, body.normal(4 * hidden, scale=0.1))
    forget, entry, out, fresh = body("Split", gates, body.constant([hidden] * 4, "int64"), outputs=4, axis=1)
    cell = body("Add", body("Mul", body("Sigmoid", forget), "c"), body("Mul", body("Sigmoid", entry), body("Tanh", fresh)))
    state = body("Mul", body("Sigmoid", out), body("Tanh", normalized(cell, hidden, True)))
    stay = body("Sub", body.constant(1.0), "mask_t")
    for new, old, name in ((state, "h", "h_next"), (cell, "c", "c_next")):
        body.nodes.append(helper.make_node(
            "Add", [body("Mul", "mask_t", new), body("Mul", stay, old)], [name]))
    kind = TensorProto.FLOAT
    loop = helper.make_graph(
        body.nodes, "steps",
        [helper.make_tensor_value_info(name, element, shape) for name, element, shape in (
            ("h", kind, ["batch", hidden]), ("c", kind, ["batch", hidden]), ("x_t", kind, ["batch", features]),
            ("mask_t", kind, ["batch", 1]), ("t", TensorProto.INT64, []))],
        [helper.make_tensor_value_info(name, kind, ["batch", hidden]) for name in ("h_next", "c_next")])
    g.weights += body.weights
    one = g.constant([1], "int64")
    shape = g("Concat", g("Gather", g("Shape", "x"), g.constant([0], "int64")), g.constant([hidden], "int64"), axis=0)
    zeros = g("ConstantOfShape", shape)
    length = g("Squeeze", g("Gather", g("Shape", "x"), one))
    steps_ = g("Range", g.constant(0, "int64"), length, g.constant(1, "int64"))
    last, _ = g("Scan", zeros, zeros, "x", "mask", steps_, outputs=2, body=loop, num_scan_inputs=3,
                scan_input_axes=[1, 2, 0])
    g.answer(g.linear(last, hidden, classes))
    g.write(file, [("x", kind, ["batch", "time", features]), MASK], "predictions", ["batch", classes])
    return Model("bnlstm-64-scan", file, features, "x", "mask", None, False,
                 lambda n: 2 * n * 4 * hidden * (features + hidden))


def examples():
    def file(name):
        return ROOT / f"Examples/models/{name}/1/model.onnx"

    return [
        Model("vowels-cnn", file("vowels-cnn"), 12, "x", "mask", None, True, lambda n: products(file("vowels-cnn")) * n),
        Model("vowels-bnlstm", file("vowels-bnlstm"), 12, "x", "mask", None, False, lambda n: 2 * n * 256 * 76),
        Model("peptide-bytenet", file("peptide-bytenet"), None, "tokens", "mask", None, True,
              lambda n: products(file("peptide-bytenet")) * n),
    ]


def products(file):
    """Operations a position of a file's convolutions, all of stride 1."""
    import onnx
    graph = onnx.load(file).graph
    sizes = {each.name: numpy.prod(each.dims) for each in graph.initializer}
    return float(sum(2 * sizes.get(node.input[1], 0) for node in graph.node if node.op_type == "Conv"))


def all_models(folder):
    """Every model; the generated ones are written to `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    made = [make(folder / f"{make.__name__}.onnx") for make in (bytenet, convolutions, bigru, transformer, decoder, bnlstm)]
    return examples() + made
