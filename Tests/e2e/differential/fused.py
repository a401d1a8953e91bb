"""Makers of the operators that onnxruntime's optimizer writes, of its own domain."""

import numpy

from . import linear


def arrays(dice, *shapes):
    return [None if shape is None else dice.array("float32", list(shape)) for shape in shapes]


def gelu(name):
    def make(dice, opset):
        shape = dice.shape(1, 3, low=1)
        given = {"alpha": float(dice.random.uniform(0.5, 2))} if name == "QuickGelu" and dice.once_in(2) else {}
        bias = name == "BiasGelu" or (name == "FastGelu" and dice.once_in(2))
        return arrays(dice, shape, shape[-1:] if bias else None), given, 1
    return make


ACTIVATIONS = [("Relu", []), ("Tanh", []), ("Sigmoid", []), ("LeakyRelu", [0.1]), ("HardSigmoid", [0.3, 0.4]), ("Clip", [-1.0, 1.0])]


def conv(dice, opset):
    inputs, given, outputs = linear.conv(dice, opset)
    name, parameters = dice.pick(ACTIVATIONS)
    given["activation"] = name
    if parameters:
        given["activation_params"] = parameters
    return inputs, given, outputs


def gemm(dice, opset):
    inputs, given, outputs = linear.gemm(dice, 13)
    inputs = [None if each is None else each.astype("float32") for each in inputs]
    name, parameters = dice.pick(ACTIVATIONS[:4])
    given["activation"] = name
    if parameters:
        given["activation_alpha"] = parameters[0]
    return inputs, given, outputs


def matmul(dice, opset):
    m, k, n = (dice.length(1) for _ in range(3))
    batch = dice.shape(0, 2, low=1)
    given = {key: dice.below(2) for key in ("transA", "transB") if dice.once_in(2)}
    if dice.once_in(2):
        given["alpha"] = float(dice.random.uniform(-2, 2))
    a, b = [k, m] if given.get("transA") else [m, k], [n, k] if given.get("transB") else [k, n]
    return arrays(dice, batch + a, (batch if dice.once_in(2) else []) + b), given, 1


def skip(simplified):
    def make(dice, opset):
        shape = [dice.length(1), dice.length(1), dice.length(1)]
        vector = shape[-1:]
        given = {"epsilon": 1e-3} if dice.once_in(2) else {}
        rest = [vector if dice.once_in(2) else None]
        if not simplified:
            rest.insert(0, vector if dice.once_in(2) else None)
        return arrays(dice, shape, shape, vector, *rest), given, 1
    return make


def embed(dice, opset):
    batch, length, width, words = dice.length(1), dice.length(1), dice.between(1, 6), 9
    ids, kinds = dice.array("int32", [batch, length], 0, words - 1), dice.array("int32", [batch, length], 0, 1)
    has_kinds = dice.once_in(2)
    tables = arrays(dice, [words, width], [length + 2, width], [2, width] if has_kinds else None, [width], [width])
    return [ids, kinds if has_kinds else None, *tables], {"epsilon": 1e-5} if dice.once_in(2) else {}, 1


def attention(dice, opset):
    batch, length, heads, size = dice.between(1, 3), dice.between(1, 5), dice.between(1, 3), dice.between(1, 4)
    width, own = dice.between(1, 6), heads * size
    given = {"num_heads": heads} | ({"unidirectional": 1} if dice.once_in(3) else {}) | ({"scale": 0.4} if dice.once_in(3) else {})
    inputs = arrays(dice, [batch, length, width], [width, 3 * own], [3 * own])
    outputs = 1
    if dice.once_in(3):
        inputs.append(dice.array("int32", [batch], 1, length))
    elif dice.once_in(3):
        inputs.append(dice.array("int32", [batch, length], 0, 1))
    if dice.once_in(3):
        inputs += [None] * (4 - len(inputs))
        past = dice.pick([0, 1, 3])
        inputs = inputs[:3] + [None, dice.array("float32", [2, batch, heads, past, size])]
        outputs = 2
    return inputs, given, outputs


def multi_head(dice, opset):
    batch, queries, keys = dice.between(1, 3), dice.between(1, 5), dice.between(1, 5)
    heads, size = dice.between(1, 3), dice.between(1, 4)
    own, other = heads * size, heads * dice.between(1, 4)
    given = {"num_heads": heads} | ({"scale": 0.4} if dice.once_in(3) else {})
    bias = [2 * own + other] if dice.once_in(2) else None
    inputs = arrays(dice, [batch, queries, own], [batch, keys, own], [batch, keys, other], bias)
    if dice.once_in(3):
        inputs.append(dice.array("int32", [batch], 1, keys))
    elif dice.once_in(2):
        inputs += [None, dice.array("float32", [batch if dice.once_in(2) else 1, heads, queries, keys])]
    outputs = 1
    if dice.once_in(3):
        past = dice.between(1, 3)
        inputs = inputs[:4] + [None, None, *arrays(dice, [batch, heads, past, size], [batch, heads, past, other // heads])]
        outputs = 3
    return inputs, given, outputs


def rotary(dice, opset):
    batch, length, heads, half, longest = dice.between(1, 2), dice.between(1, 4), dice.between(1, 3), dice.between(1, 3), 8
    x = dice.array("float32", [batch, length, heads * 2 * half] if dice.once_in(2) else [batch, heads, length, 2 * half])
    at = dice.array("int64", [batch, length], 0, longest - 1) if dice.once_in(2) else dice.array("int64", [1], 0, longest - length)
    given = {"interleaved": dice.below(2)} if dice.once_in(2) else {}
    return [x, at, *arrays(dice, [longest, half], [longest, half])], given, 1


def register(maker):
    for name, make in [
        ("Gelu", gelu("Gelu")), ("BiasGelu", gelu("BiasGelu")), ("FastGelu", gelu("FastGelu")), ("QuickGelu", gelu("QuickGelu")),
        ("FusedConv", conv), ("FusedGemm", gemm), ("FusedMatMul", matmul), ("SkipLayerNormalization", skip(False)),
        ("SkipSimplifiedLayerNormalization", skip(True)), ("EmbedLayerNormalization", embed), ("Attention", attention),
        ("MultiHeadAttention", multi_head), ("RotaryEmbedding", rotary),
    ]:
        maker(f"com.microsoft.{name}", since=14)(make)
