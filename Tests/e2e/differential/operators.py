"""Cases of one operator: for each, a function of the dice and the opset that gives inputs and attributes.

A maker returns `(inputs, attributes, outputs)`: arrays or None for an absent input, and the number of outputs. Inputs
that a file would hold as constants are made so at random.
"""

import zlib

import numpy
from onnx import helper

from . import fused, linear, shaping, values
from .case import NEWEST, Case, model_of
from .dice import ALL, FLOATS, INTEGERS, NUMBERS, SIGNED, Dice

MAKERS = {}


def maker(*names, since=7, until=NEWEST):
    def register(function):
        for name in names:
            MAKERS.setdefault(name, []).append((since, until, function))
        return function
    return register


def types(dice, allowed):
    """A type, float32 more often than others."""
    return "float32" if "float32" in allowed and dice.once_in(2) else dice.pick(allowed)


# Arguments a function is defined for; nothing said: all.
DOMAINS = {
    "Acos": (-1, 1), "Asin": (-1, 1), "Atanh": (-0.95, 0.95), "Acosh": (1, 5), "Sqrt": (0, 9), "Log": (0.01, 9),
    "Tan": (-1.4, 1.4), "Reciprocal": (0.2, 4),
}
UNARY = {
    "Abs": NUMBERS, "Acos": FLOATS, "Acosh": FLOATS, "Asin": FLOATS, "Asinh": FLOATS, "Atan": FLOATS, "Atanh": FLOATS,
    "BitwiseNot": INTEGERS, "Ceil": FLOATS, "Cos": FLOATS, "Cosh": FLOATS, "Erf": FLOATS, "Exp": FLOATS, "Floor": FLOATS,
    "HardSwish": FLOATS, "Identity": ALL, "Log": FLOATS, "Mish": FLOATS, "Neg": FLOATS + SIGNED, "Not": ("bool",),
    "Reciprocal": FLOATS, "Relu": FLOATS + SIGNED, "Round": FLOATS, "Sigmoid": FLOATS, "Sign": NUMBERS, "Sin": FLOATS,
    "Sinh": FLOATS, "Size": ALL, "Softplus": FLOATS, "Softsign": FLOATS, "Sqrt": FLOATS, "Tan": FLOATS, "Tanh": FLOATS,
    "IsNaN": FLOATS, "NonZero": ALL, "GlobalAveragePool": FLOATS, "GlobalMaxPool": FLOATS,
}
ATTRIBUTED = {
    "Elu": ["alpha"], "Celu": ["alpha"], "Selu": ["alpha", "gamma"], "HardSigmoid": ["alpha", "beta"],
    "LeakyRelu": ["alpha"], "ThresholdedRelu": ["alpha"], "Shrink": ["bias", "lambd"],
}


def unary(name):
    def make(dice, opset):
        low, high = DOMAINS.get(name, (None, None))
        rank = (3, 4) if name.startswith("Global") else (0, 4)
        shape = dice.shape(*rank, low=1 if name.startswith("Global") else 0)
        x = dice.array(types(dice, UNARY[name]), shape, low, high)
        return [x if low is not None or name == "NonZero" else dice.edges(x)], {}, 1
    return make


for each in UNARY:
    maker(each)(unary(each))


def attributed(name):
    def make(dice, opset):
        given = {key: float(dice.random.uniform(0.1, 2)) for key in ATTRIBUTED[name] if dice.once_in(2)}
        return [dice.edges(dice.array(types(dice, FLOATS), dice.shape()))], given, 1
    return make


for each in ATTRIBUTED:
    maker(each)(attributed(each))


@maker("Gelu", since=20)
def gelu(dice, opset):
    given = {"approximate": dice.pick(["none", "tanh"])} if dice.once_in(2) else {}
    return [dice.array(types(dice, FLOATS), dice.shape())], given, 1


@maker("IsInf", since=10)
def is_inf(dice, opset):
    given = {key: dice.below(2) for key in ("detect_negative", "detect_positive") if dice.once_in(2)}
    return [dice.edges(dice.array(dice.pick(["float32", "float64"]), dice.shape()))], given, 1


BINARY = {
    "Add": NUMBERS, "Sub": NUMBERS, "Mul": NUMBERS, "Div": NUMBERS, "And": ("bool",), "Or": ("bool",), "Xor": ("bool",),
    "Equal": ALL, "Greater": NUMBERS, "GreaterOrEqual": NUMBERS, "Less": NUMBERS, "LessOrEqual": NUMBERS,
    "BitwiseAnd": INTEGERS, "BitwiseOr": INTEGERS, "BitwiseXor": INTEGERS,
}


def binary(name):
    def make(dice, opset):
        dtype, shape = types(dice, BINARY[name]), dice.shape()
        a, b = dice.array(dtype, shape), dice.array(dtype, dice.partner(shape))
        if dice.once_in(2):
            a, b = b, a
        if name == "Div" and a.dtype.kind in "iu":
            b = numpy.where((b == 0) | (b == -1 if b.dtype.kind == "i" else False), 3, b).astype(b.dtype)
        return [dice.edges(a), dice.edges(b) if name != "Div" else b], {}, 1
    return make


for each in BINARY:
    maker(each)(binary(each))


@maker("Pow")
def power(dice, opset):
    shape = dice.shape()
    if dice.once_in(3):
        dtype = dice.pick(["int32", "int64"])
        a, b = dice.array(dtype, shape, -4, 4), dice.array(dtype, dice.partner(shape), 0, 4)
    else:
        dtype = types(dice, ("float32", "float64"))
        a = dice.array(dtype, shape, 0.1, 4)
        b = dice.array(dtype if opset < 12 else dice.pick([dtype, "int32", "int64"]), dice.partner(shape), -3, 3)
    return [a, b], {}, 1


@maker("Mod", since=10)
def modulo(dice, opset):
    shape = dice.shape()
    dtype = dice.pick(INTEGERS + ("float32", "float64"))
    fmod = 1 if dtype.startswith("float") else dice.below(2)
    a, b = dice.array(dtype, shape), dice.array(dtype, dice.partner(shape))
    b = numpy.where(b == 0, 2, b)
    if b.dtype.kind == "i":
        b = numpy.where(b == -1, 3, b)
    return [a, b.astype(dtype)], {"fmod": fmod} if fmod or dice.once_in(2) else {}, 1


@maker("BitShift", since=11)
def bit_shift(dice, opset):
    shape, dtype = dice.shape(), dice.pick(["uint8", "uint16", "uint32", "uint64"])
    b = dice.array(dtype, dice.partner(shape), 0, 7)
    return [dice.array(dtype, shape), b], {"direction": dice.pick(["LEFT", "RIGHT"])}, 1


@maker("PRelu")
def prelu(dice, opset):
    shape, dtype = dice.shape(1, 4), types(dice, FLOATS)
    return [dice.array(dtype, shape), dice.array(dtype, dice.partner(shape))], {}, 1


@maker("Max", "Min", since=8)
def extremes(dice, opset):
    dtype = types(dice, NUMBERS if opset >= 12 else FLOATS)
    shape = dice.shape()
    return [dice.array(dtype, shape)] + [dice.array(dtype, dice.partner(shape)) for _ in range(dice.below(3))], {}, 1


@maker("Sum", "Mean", since=8)
def sums(dice, opset):
    dtype, shape = types(dice, FLOATS), dice.shape()
    return [dice.array(dtype, shape)] + [dice.array(dtype, dice.partner(shape)) for _ in range(dice.below(3))], {}, 1


@maker("Where", since=9)
def where(dice, opset):
    shape, dtype = dice.shape(), types(dice, ALL)
    return [dice.array("bool", dice.partner(shape)), dice.array(dtype, shape), dice.array(dtype, dice.partner(shape))], {}, 1


@maker("Clip", since=11)
def clip(dice, opset):
    dtype = types(dice, NUMBERS if opset >= 12 else ("float32",))
    bounds = [dice.array(dtype, [], 0, 2), dice.array(dtype, [], 3, 5)]
    chosen = [bound if dice.once_in(2) else None for bound in bounds]
    return [dice.array(dtype, dice.shape())] + chosen, {}, 1


@maker("Cast")
def cast(dice, opset):
    source, target = dice.pick(ALL), dice.pick(ALL)
    x = dice.array(source, dice.shape())
    if x.dtype.kind == "f":
        # What an integer cannot hold may become anything.
        x = numpy.clip(x, 0 if target.startswith("u") else -100, 100)
    return [x], {"to": helper.np_dtype_to_tensor_dtype(numpy.dtype(target))}, 1


@maker("CastLike", since=15)
def cast_like(dice, opset):
    target = dice.pick(FLOATS + ("int32", "int64", "bool"))
    return [dice.array("float32", dice.shape()), dice.array(target, dice.shape())], {}, 1


REDUCTIONS = {
    "ReduceL1": FLOATS + ("int32",), "ReduceL2": FLOATS, "ReduceLogSum": FLOATS, "ReduceLogSumExp": FLOATS,
    "ReduceMax": FLOATS + ("int32", "int64", "int8", "uint8"), "ReduceMean": FLOATS + ("int32",),
    "ReduceMin": FLOATS + ("int32", "int64", "int8", "uint8"), "ReduceProd": FLOATS + ("int32", "int64"),
    "ReduceSum": FLOATS + ("int32", "int64"), "ReduceSumSquare": FLOATS + ("int32",),
}


def reduction(name):
    def make(dice, opset):
        # The smallest and largest of nothing are left to the engine.
        shape = dice.shape(0, 4, low=0 if name in ("ReduceSum", "ReduceProd", "ReduceL1") else 1)
        low, high = (0.1, 3) if name == "ReduceLogSum" else (None, None)
        x = dice.array(types(dice, REDUCTIONS[name]), shape, low, high)
        if x.dtype.kind in "iu":
            x = dice.array(x.dtype.name, shape, 0 if x.dtype.kind == "u" else -3, 3)
        given = {"keepdims": dice.below(2)} if dice.once_in(2) else {}
        axes = None if dice.once_in(4) else dice.axes(len(shape))
        if opset < (13 if name == "ReduceSum" else 18):
            if axes:
                given["axes"] = axes
            return [x], given, 1
        if dice.once_in(3):
            given["noop_with_empty_axes"] = dice.below(2)
        return [x, None if axes is None else numpy.array(axes, numpy.int64)], given, 1
    return make


for each in REDUCTIONS:
    maker(each)(reduction(each))


@maker("ArgMax", "ArgMin")
def argument(dice, opset):
    shape = dice.shape(1, 4, low=1)
    given = {"axis": dice.axis(len(shape)) if opset >= 11 else dice.below(len(shape))} if dice.once_in(2) else {}
    if dice.once_in(2):
        given["keepdims"] = dice.below(2)
    if opset >= 12 and dice.once_in(2):
        given["select_last_index"] = dice.below(2)
    return [dice.array(types(dice, ("float32", "float64", "int32", "int8", "uint8")), shape)], given, 1


@maker("Softmax", "LogSoftmax", "Hardmax")
def softmax(dice, opset):
    shape = dice.shape(1, 4)
    axis = dice.axis(len(shape)) if opset >= 11 else dice.below(len(shape))
    return [dice.array(types(dice, ("float32", "float64")), shape)], {"axis": axis} if dice.once_in(2) else {}, 1


@maker("CumSum", since=11)
def cumulative(dice, opset):
    shape = dice.shape(1, 4)
    given = {key: dice.below(2) for key in ("exclusive", "reverse") if dice.once_in(2)}
    x = dice.array(types(dice, ("float32", "float64", "int32", "int64")), shape)
    return [x, numpy.array(dice.axis(len(shape)), dice.pick(["int32", "int64"]))], given, 1


@maker("TopK", since=11)
def top_k(dice, opset):
    shape = dice.shape(1, 4, low=1)
    axis = dice.axis(len(shape))
    x = dice.random.permutation(int(numpy.prod(shape))).reshape(shape).astype(dice.pick(["float32", "float64", "int64"]))
    given = {"axis": axis} | {key: 1 for key in ("largest",) if dice.once_in(2)}
    if dice.once_in(3):
        given["largest"] = 0
    return [x, numpy.array([dice.between(0 if dice.once_in(6) else 1, shape[axis])], numpy.int64)], given, 2


for each in (linear, shaping, fused):
    each.register(maker)

NAMES = sorted(MAKERS.keys() | values.MAKERS.keys())


def generate(name, number):
    """The case of an operator with a number, always the same: the newest opset or an older one that has these rules."""
    dice = Dice([zlib.crc32(name.encode()), number])
    if name in values.MAKERS:
        since, make = values.MAKERS[name]
        opset = NEWEST if dice.once_in(2) else dice.between(since, NEWEST)
        nodes, inputs, constants, outputs = make(dice, opset)
        return Case(f"{name}-{number}", model_of(nodes, inputs, constants, outputs, opset), inputs)
    since, until, make = dice.pick(MAKERS[name])
    opset = until if dice.once_in(2) else dice.between(since, until)
    arrays, attributes, outputs = make(dice, opset)
    inputs, constants, names = {}, {}, []
    for index, array in enumerate(arrays):
        if array is None:
            names.append("")
            continue
        names.append(f"x{index}")
        constant = index > 0 and dice.once_in(2)
        (constants if constant else inputs)[names[-1]] = numpy.ascontiguousarray(array).reshape(numpy.shape(array))
    while names and not names[-1]:
        names.pop()
    results = [f"y{index}" for index in range(outputs)]
    domain, _, operator = name.rpartition(".")
    node = helper.make_node(operator, names, results, domain=domain, **attributes)
    return Case(f"{name}-{number}", model_of([node], inputs, constants, results, opset), inputs)
