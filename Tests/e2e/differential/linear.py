"""Makers of operators with weights: products, convolutions, pools, normalizations, recurrences, quantization."""

import numpy

from .case import NEWEST


def number(dice):
    return "float32" if not dice.once_in(4) else "float64"


def matmul(dice, opset):
    m, k, n = (dice.length() for _ in range(3))
    batch = dice.shape(0, 2)
    a, b = batch + [m, k], dice.partner(batch) + [k, n]
    if dice.once_in(6):
        a = [k]
    elif dice.once_in(6):
        b = [k]
    dtype = dice.pick(("float32", "float32", "float64", "int32", "int64", "uint32")) if opset >= 9 else "float32"
    return [dice.array(dtype, a), dice.array(dtype, b)], {}, 1


def gemm(dice, opset):
    m, k, n = (dice.length(1) for _ in range(3))
    given = {key: dice.below(2) for key in ("transA", "transB") if dice.once_in(2)}
    given |= {key: float(dice.random.uniform(-2, 2)) for key in ("alpha", "beta") if dice.once_in(2)}
    a = [k, m] if given.get("transA") else [m, k]
    b = [n, k] if given.get("transB") else [k, n]
    dtype = number(dice)
    c = dice.array(dtype, dice.partner([m, n])) if opset < 11 or dice.once_in(2) else None
    return [dice.array(dtype, a), dice.array(dtype, b), c], given, 1


def window(dice, rank, kernel, pads=True, ceil=False):
    """Attributes of a sliding window, each there or not."""
    given = {}
    if dice.once_in(2):
        given["strides"] = [dice.between(1, 3) for _ in range(rank)]
    if dice.once_in(3):
        given["dilations"] = [dice.between(1, 2) for _ in range(rank)]
    if dice.once_in(4) and "dilations" not in given:
        given["auto_pad"] = dice.pick(["SAME_UPPER", "SAME_LOWER", "VALID"])
    elif dice.once_in(2):
        given["pads"] = [dice.below(kernel[axis % rank]) for axis in range(2 * rank)]
    return given


def conv(dice, opset):
    rank, group = dice.pick([1, 1, 2, 3]), dice.pick([1, 1, 2, 3])
    kernel = [dice.between(1, 3) for _ in range(rank)]
    channels, features = group * dice.between(1, 3), group * dice.between(1, 3)
    x = dice.array("float32", [dice.between(1, 3), channels] + [dice.between(6, 9) for _ in range(rank)])
    w = dice.array("float32", [features, channels // group] + kernel)
    given = window(dice, rank, kernel) | ({"group": group} if group > 1 else {})
    if dice.once_in(2):
        given["kernel_shape"] = kernel
    return [x, w, dice.array("float32", [features]) if dice.once_in(2) else None], given, 1


def conv_transpose(dice, opset):
    rank, group = dice.pick([1, 2]), dice.pick([1, 1, 2])
    kernel = [dice.between(1, 3) for _ in range(rank)]
    channels, features = group * dice.between(1, 3), dice.between(1, 3)
    x = dice.array("float32", [dice.between(1, 2), channels] + [dice.between(2, 5) for _ in range(rank)])
    w = dice.array("float32", [channels, features] + kernel)
    given = {"group": group} if group > 1 else {}
    strides = [dice.between(1, 3) for _ in range(rank)]
    if dice.once_in(2):
        given["strides"] = strides
        if dice.once_in(2):
            given["output_padding"] = [dice.below(stride) for stride in strides]
    if dice.once_in(2):
        given["pads"] = [dice.below(kernel[axis % rank]) for axis in range(2 * rank)]
    bias = dice.array("float32", [features * group]) if dice.once_in(2) else None
    return [x, w, bias], given, 1


def pool(name):
    def make(dice, opset):
        rank = dice.pick([1, 2])
        kernel = [dice.between(1, 3) for _ in range(rank)]
        given = window(dice, rank, kernel) | {"kernel_shape": kernel}
        if (name == "AveragePool" and opset < 19) or (name == "LpPool" and opset < 18) or opset < 10:
            given.pop("dilations", None)
        if opset >= (18 if name == "LpPool" else 10) and "auto_pad" not in given and dice.once_in(3):
            given["ceil_mode"] = 1
        if name == "AveragePool" and dice.once_in(2):
            given["count_include_pad"] = dice.below(2)
        if name == "LpPool":
            given["p"] = dice.between(1, 3)
        shape = [dice.between(1, 2), dice.between(1, 3)] + [dice.between(6, 9) for _ in range(rank)]
        outputs = 2 if name == "MaxPool" and "auto_pad" not in given and "dilations" not in given and dice.once_in(3) else 1
        return [dice.array("float32", shape)], given, outputs
    return make


def batch_norm(dice, opset):
    shape = [dice.length(1), dice.length(1)] + dice.shape(0, 2)
    dtype, given = number(dice), {"epsilon": 1e-3} if dice.once_in(2) else {}
    vectors = [dice.array(dtype, [shape[1]]) for _ in range(3)] + [dice.array(dtype, [shape[1]], 0.1, 3)]
    return [dice.array(dtype, shape)] + vectors, given, 1


def instance_norm(dice, opset):
    shape = [dice.length(1), dice.length(1)] + dice.shape(1, 2, low=1)
    return [dice.array("float32", shape)] + [dice.array("float32", [shape[1]]) for _ in range(2)], {}, 1


def layer_norm(dice, opset):
    shape = dice.shape(1, 4, low=1)
    axis = dice.axis(len(shape))
    rest, dtype = shape[axis % len(shape):], number(dice)
    given = ({"axis": axis}) | ({"epsilon": 1e-3} if dice.once_in(2) else {})
    bias = dice.array(dtype, rest) if dice.once_in(2) else None
    return [dice.array(dtype, shape), dice.array(dtype, rest), bias], given, dice.pick([1, 1, 3])


def rms_norm(dice, opset):
    shape = dice.shape(1, 4, low=1)
    axis = dice.axis(len(shape))
    return [dice.array("float32", shape), dice.array("float32", shape[axis % len(shape):])], {"axis": axis}, 1


def group_norm(dice, opset):
    groups = dice.between(1, 3)
    channels = groups * dice.between(1, 3)
    shape = [dice.length(1), channels] + dice.shape(1, 2, low=1)
    vectors = [dice.array("float32", [channels]) for _ in range(2)]
    return [dice.array("float32", shape)] + vectors, {"num_groups": groups}, 1


def lp_normalization(dice, opset):
    shape = dice.shape(1, 4, low=1)
    return [dice.array("float32", shape)], {"axis": dice.axis(len(shape)), "p": dice.between(1, 2)}, 1


def recurrent(gates, name):
    def make(dice, opset):
        steps, batch, features, hidden = dice.between(1, 5), dice.between(1, 3), dice.between(1, 4), dice.between(1, 4)
        direction = dice.pick(["forward", "reverse", "bidirectional"])
        directions = 2 if direction == "bidirectional" else 1
        given = {"hidden_size": hidden, "direction": direction}

        def make_array(*shape):
            return dice.array("float32", list(shape), -1, 1)

        x = make_array(steps, batch, features)
        lengths = dice.random.integers(1, steps, batch, dtype=numpy.int32, endpoint=True) if dice.once_in(2) else None
        arrays = [x, make_array(directions, gates * hidden, features), make_array(directions, gates * hidden, hidden),
                  make_array(directions, 2 * gates * hidden) if dice.once_in(2) else None, lengths,
                  make_array(directions, batch, hidden) if dice.once_in(2) else None]
        if name == "GRU" and dice.once_in(2):
            given["linear_before_reset"] = 1
        if name == "RNN" and dice.once_in(2):
            given["activations"] = [dice.pick(["Relu", "Tanh", "Sigmoid"]) for _ in range(directions)]
        if name == "LSTM":
            arrays += [make_array(directions, batch, hidden) if dice.once_in(2) else None,
                       make_array(directions, 3 * hidden) if dice.once_in(3) else None]
        if dice.once_in(5):
            given["clip"] = 0.5
        return arrays, given, 3 if name == "LSTM" else 2
    return make


def quantize(dice, opset):
    shape = dice.shape(1, 3)
    kind = dice.pick(("uint8", "int8"))
    scale, zero = dice.array("float32", [], 0.05, 1), dice.array(kind, [], 0 if kind == "uint8" else -5, 20)
    given = {}
    if opset >= 13 and dice.once_in(2):
        axis = dice.axis(len(shape))
        scale = dice.array("float32", [shape[axis]], 0.05, 1)
        zero, given = dice.array(kind, [shape[axis]], 0, 20), {"axis": axis}
    return [dice.array("float32", shape, -20, 20), scale, zero], given, 1


def dequantize(dice, opset):
    shape = dice.shape(1, 3)
    kind = dice.pick(("uint8", "int8"))
    given = {}
    scale, zero = dice.array("float32", [], 0.05, 1), dice.array(kind, [], 0, 20)
    if opset >= 13 and dice.once_in(2):
        axis = dice.axis(len(shape))
        scale, zero, given = dice.array("float32", [shape[axis]], 0.05, 1), dice.array(kind, [shape[axis]], 0, 20), {"axis": axis}
    return [dice.array(kind, shape), scale, zero if dice.once_in(2) else None], given, 1


def dynamic_quantize(dice, opset):
    return [dice.array("float32", dice.shape(1, 3, low=1))], {}, 3


def matmul_integer(dice, opset):
    m, k, n = (dice.length(1) for _ in range(3))
    a, b = dice.array(dice.pick(("uint8", "int8")), [m, k]), dice.array(dice.pick(("uint8", "int8")), [k, n])
    zero = dice.array(a.dtype.name, [], 0, 9) if dice.once_in(2) else None
    return [a, b, zero, dice.array(b.dtype.name, [], 0, 9) if zero is not None and dice.once_in(2) else None], {}, 1


def qlinear_matmul(dice, opset):
    m, k, n = (dice.length(1) for _ in range(3))
    arrays = []
    for shape in ([m, k], [k, n], None):
        if shape:
            arrays.append(dice.array("uint8", shape))
        arrays += [dice.array("float32", [], 0.1, 1), dice.array("uint8", [], 0, 9)]
    return arrays, {}, 1


def conv_integer(dice, opset):
    (x, w, _), given, _ = conv(dice, opset)
    x, w = dice.array("uint8", x.shape), dice.array(dice.pick(("uint8", "int8")), w.shape)
    zeros = [dice.array(each.dtype.name, [], 0, 9) if dice.once_in(2) else None for each in (x, w)]
    return [x, w, *(zeros if zeros[0] is not None else [])], given, 1


def qlinear_conv(dice, opset):
    (x, w, bias), given, _ = conv(dice, opset)
    kind = dice.pick(("uint8", "int8"))
    weights = "int8" if kind == "int8" else dice.pick(("uint8", "int8"))
    features = [w.shape[0]] if dice.once_in(2) else []
    scale, w_scale = dice.array("float32", [], 0.01, 0.1), dice.array("float32", features, 0.01, 0.1)
    arrays = [dice.array(kind, x.shape), scale, dice.array(kind, [], 0, 9)]
    arrays += [dice.array(weights, w.shape), w_scale, numpy.zeros(features, weights)]
    arrays += [dice.array("float32", [], 0.02, 0.3), dice.array(kind, [], 0, 9)]
    return arrays + ([dice.array("int32", bias.shape)] if bias is not None else []), given, 1


def attention(dice, opset):
    batch, heads, size, queries, keys = dice.between(1, 2), dice.between(1, 3), dice.between(1, 5), dice.between(1, 4), dice.between(1, 4)
    if dice.once_in(2):
        arrays = [dice.array("float32", [batch, heads, length, size]) for length in (queries, keys, keys)]
        given = {}
    else:
        arrays = [dice.array("float32", [batch, length, heads * size]) for length in (queries, keys, keys)]
        given = {"q_num_heads": heads, "kv_num_heads": heads}
    if dice.once_in(3):
        given["is_causal"] = 1
    elif dice.once_in(2):
        mask = dice.array("bool", [queries, keys])
        mask[:, 0] = True
        arrays.append(mask if dice.once_in(2) else dice.array("float32", [queries, keys]))
    if dice.once_in(3):
        given["scale"] = 0.3
    return arrays, given, 1


def einsum(dice, opset):
    lengths = {letter: dice.between(1, 4) for letter in "ijkbh"}
    equation = dice.pick([
        "ij,jk->ik", "bij,bjk->bik", "bhij,bhjk->bhik", "ij->ji", "ij,ij->", "i,j->ij", "bij,kj->bik", "ii->i", "ij->i",
        "bhij->bih", "bij,bj->bi", "ij,jk",
    ])
    dtype = number(dice)
    arrays = [dice.array(dtype, [lengths[letter] for letter in part]) for part in equation.split("->")[0].split(",")]
    return arrays, {"equation": equation}, 1


def register(maker):
    for since, names in {
        7: [("Gemm", gemm), ("MatMul", matmul), ("Conv", conv), ("ConvTranspose", conv_transpose), ("MaxPool", pool("MaxPool")),
            ("AveragePool", pool("AveragePool")), ("LpPool", pool("LpPool")), ("InstanceNormalization", instance_norm),
            ("LpNormalization", lp_normalization), ("RNN", recurrent(1, "RNN")), ("GRU", recurrent(3, "GRU")),
            ("LSTM", recurrent(4, "LSTM"))],
        9: [("BatchNormalization", batch_norm)],
        10: [("QuantizeLinear", quantize), ("DequantizeLinear", dequantize), ("MatMulInteger", matmul_integer),
             ("QLinearMatMul", qlinear_matmul), ("ConvInteger", conv_integer), ("QLinearConv", qlinear_conv)],
        11: [("DynamicQuantizeLinear", dynamic_quantize)],
        12: [("Einsum", einsum)],
        17: [("LayerNormalization", layer_norm)],
        21: [("GroupNormalization", group_norm)],
        23: [("RMSNormalization", rms_norm), ("Attention", attention)],
    }.items():
        for name, make in names:
            maker(name, since=since, until=NEWEST)(make)
