"""Cases of a few nodes around one operator on sequences, optionals and strings; outputs are tensors or lists of them."""

import numpy
from onnx import TensorProto, helper

from .case import TYPES

WORDS = ["", "a", "A", "b", "ab", "Ab c", "a,b,,c", " a  b ", "ß", "Ärger", "日本 語", "été", "zz", "10", "-3"]


def node(operator, inputs, *outputs, **attributes):
    return helper.make_node(operator, inputs, outputs, **attributes)


def parts(dice, low=1):
    """Tensors of one rank and type, and the axis along which their lengths differ."""
    rank = dice.between(1, 3)
    axis, shape, dtype = dice.below(rank), dice.shape(rank, rank, low=1), dice.pick(["float32", "int64", "float64"])
    arrays = []
    for _ in range(dice.between(low, 4)):
        arrays.append(dice.array(dtype, shape[:axis] + [dice.length(1)] + shape[axis + 1:]))
    return {f"x{index}": array for index, array in enumerate(arrays)}, axis, dtype, rank


def place(dice, count):
    return numpy.array(dice.between(-count, count - 1), dice.pick(["int32", "int64"]))


def sequence_at(dice, opset):
    inputs, *_ = parts(dice)
    nodes = [node("SequenceConstruct", list(inputs), "s"), node("SequenceAt", ["s", "i"], "y")]
    return nodes, inputs, {"i": place(dice, len(inputs))}, ["y"]


def sequence_length(dice, opset):
    inputs, *_ = parts(dice)
    return [node("SequenceConstruct", list(inputs), "s"), node("SequenceLength", ["s"], "y")], inputs, {}, ["y"]


def sequence_erase(dice, opset):
    inputs, *_ = parts(dice, low=2)
    constants = {"i": place(dice, len(inputs))} if dice.once_in(2) else {}
    nodes = [node("SequenceConstruct", list(inputs), "s"), node("SequenceErase", ["s", *constants], "y")]
    return nodes, inputs, constants, ["y"]


def sequence_insert(dice, opset):
    inputs, axis, dtype, rank = parts(dice, low=2)
    names = list(inputs)
    constants = {"i": place(dice, len(names) - 1)} if dice.once_in(2) else {}
    first = node("SequenceConstruct", names[1:], "s")
    if dice.once_in(3):
        first = node("SequenceEmpty", [], "s", dtype=TYPES[dtype])
        constants = {}
    nodes = [first, node("SequenceInsert", ["s", names[0], *constants], "t")]
    if dice.once_in(2):
        return nodes + [node("ConcatFromSequence", ["t"], "y", axis=axis)], inputs, constants, ["y"]
    return nodes, inputs, constants, ["t"]


def concat_from_sequence(dice, opset):
    inputs, axis, _, rank = parts(dice)
    given = {"axis": axis - (rank if dice.once_in(2) else 0)}
    if dice.once_in(3):
        inputs = {name: inputs["x0"] + inputs["x0"].dtype.type(step) for step, name in enumerate(inputs)}
        given = {"axis": dice.between(-rank - 1, rank), "new_axis": 1}
    nodes = [node("SequenceConstruct", list(inputs), "s"), node("ConcatFromSequence", ["s"], "y", **given)]
    return nodes, inputs, {}, ["y"]


def split_to_sequence(dice, opset):
    shape = dice.shape(1, 3, low=1)
    axis = dice.axis(len(shape))
    x = dice.array(dice.pick(["float32", "int64"]), shape)
    given, constants = ({"axis": axis} if axis % len(shape) or dice.once_in(2) else {}), {}
    length = shape[axis]
    if dice.once_in(3):
        constants["n"] = numpy.array(dice.between(1, length), numpy.int64)
    elif dice.once_in(2):
        cut = dice.below(length + 1)
        constants["n"] = numpy.array([cut, length - cut], numpy.int64)
    elif dice.once_in(2):
        given["keepdims"] = dice.below(2)
    return [node("SplitToSequence", ["x", *constants], "y", **given)], {"x": x}, constants, ["y"]


def optional(dice, opset):
    x = dice.array(dice.pick(["float32", "int64", "bool"]), dice.shape())
    nodes = [node("Optional", ["x"], "o"), node("OptionalHasElement", ["o"], "h"), node("OptionalGetElement", ["o"], "y")]
    return nodes, {"x": x}, {}, ["h", "y"]


def optional_sequence(dice, opset):
    inputs, *_ = parts(dice)
    nodes = [node("SequenceConstruct", list(inputs), "s"), node("Optional", ["s"], "o"),
             node("OptionalHasElement", ["o"], "h"), node("OptionalGetElement", ["o"], "y")]
    return nodes, inputs, {}, ["h", "y"]


def bfloat16(dice, opset):
    """Rounded to bfloat16 and back, and moved in between: what onnxruntime has of this type on a CPU."""
    x = dice.edges(dice.array("float32", dice.shape(1, 3)))
    nodes = [node("Cast", ["x"], "b", to=TensorProto.BFLOAT16)]
    last = "b"
    if dice.once_in(2):
        nodes.append(node("Identity", ["b"], "c"))
        last = "c"
    return nodes + [node("Cast", [last], "y", to=TensorProto.FLOAT)], {"x": x}, {}, ["y"]


def texts(dice, shape):
    flat = [dice.pick(WORDS) for _ in range(int(numpy.prod(shape)))]
    return numpy.array(flat + [""], object)[:-1].reshape(shape)


def string_concat(dice, opset):
    shape = dice.shape()
    return [node("StringConcat", ["a", "b"], "y")], {"a": texts(dice, shape), "b": texts(dice, dice.partner(shape))}, {}, ["y"]


def string_split(dice, opset):
    given = {"delimiter": dice.pick(["", ",", "a", "b,"])} if dice.once_in(2) else {}
    if dice.once_in(2):
        given["maxsplit"] = dice.between(1, 3)
    return [node("StringSplit", ["x"], "y", "n", **given)], {"x": texts(dice, dice.shape(0, 2, low=1))}, {}, ["y", "n"]


def string_normalizer(dice, opset):
    given = {"case_change_action": dice.pick(["NONE", "LOWER", "UPPER"]), "is_case_sensitive": dice.below(2)}
    if dice.once_in(2):
        given["stopwords"] = [word for word in WORDS if word and dice.once_in(3)] or ["a"]
    x = numpy.array([word for word in texts(dice, [6])], object)
    return [node("StringNormalizer", ["x"], "y", **given)], {"x": x[None] if dice.once_in(3) else x}, {}, ["y"]


def string_equal(dice, opset):
    shape = dice.shape()
    return [node("Equal", ["a", "b"], "y")], {"a": texts(dice, shape), "b": texts(dice, dice.partner(shape))}, {}, ["y"]


def string_moves(dice, opset):
    x = texts(dice, dice.shape(1, 3, low=1))
    axis = dice.below(x.ndim)
    choice = dice.pick(["Gather", "Concat", "Transpose", "Reshape", "Where", "Unsqueeze", "Identity"])
    if choice == "Gather":
        at = dice.random.integers(-x.shape[axis], x.shape[axis], [dice.between(0, 3)])
        return [node("Gather", ["x", "i"], "y", axis=axis)], {"x": x}, {"i": at}, ["y"]
    if choice == "Concat":
        return [node("Concat", ["x", "x"], "y", axis=axis)], {"x": x}, {}, ["y"]
    if choice == "Reshape":
        return [node("Reshape", ["x", "n"], "y")], {"x": x}, {"n": numpy.array([-1], numpy.int64)}, ["y"]
    if choice == "Unsqueeze":
        return [node("Unsqueeze", ["x", "n"], "y")], {"x": x}, {"n": numpy.array([axis], numpy.int64)}, ["y"]
    if choice == "Where":
        other = texts(dice, dice.partner(list(x.shape)))
        return [node("Where", ["c", "x", "z"], "y")], {"c": dice.array("bool", list(x.shape)), "x": x, "z": other}, {}, ["y"]
    return [node(choice, ["x"], "y")], {"x": x}, {}, ["y"]


def string_cast(dice, opset):
    if dice.once_in(2):
        x = dice.array(dice.pick(["int64", "int32", "uint8"]), dice.shape(0, 2))
        return [node("Cast", ["x"], "y", to=TensorProto.STRING)], {"x": x}, {}, ["y"]
    words = numpy.array(["1", "-7", "2.5", "1e3", "-0.125", "NaN", "inf", "12345678"] * 2, object)
    return [node("Cast", ["x"], "y", to=TYPES[dice.pick(["float32", "float64"])])], {"x": words}, {}, ["y"]


# By the name of the case: since which opset, and the function.
MAKERS = {
    "SequenceAt": (11, sequence_at), "SequenceLength": (11, sequence_length), "SequenceErase": (11, sequence_erase),
    "SequenceInsert": (11, sequence_insert), "ConcatFromSequence": (11, concat_from_sequence),
    "SplitToSequence": (11, split_to_sequence), "Optional": (18, optional), "OptionalGetElement": (18, optional_sequence),
    "CastBFloat16": (13, bfloat16), "StringConcat": (20, string_concat), "StringSplit": (20, string_split),
    "StringNormalizer": (10, string_normalizer), "EqualStrings": (19, string_equal), "MovedStrings": (13, string_moves),
    "CastStrings": (13, string_cast),
}
