"""Makers of operators that move, choose and count elements."""

import numpy

from .case import NEWEST
from .dice import ALL, FLOATS


def ints(values):
    return numpy.array(values, numpy.int64)


def reshape(dice, opset):
    shape = dice.shape(0, 4)
    count = int(numpy.prod(shape))
    allow_zero = opset >= 14 and dice.once_in(4)
    if count == 0:
        # A zero copies the axis at its place, unless zeros are lengths.
        target = [0] * len(shape) if not allow_zero else list(dice.random.permutation(shape))
    else:
        target, left = [], count
        while left > 1 and len(target) < 4:
            factor = dice.pick([each for each in range(1, left + 1) if left % each == 0])
            target.append(factor)
            left //= factor
        target.append(left)
        if dice.once_in(2):
            target[dice.below(len(target))] = -1
        if not allow_zero and shape and target[0] == shape[0] and dice.once_in(2):
            target[0] = 0
    return [dice.array(dice.pick(ALL), shape), ints(target)], {"allowzero": 1} if allow_zero else {}, 1


def transpose(dice, opset):
    shape = dice.shape(0, 5)
    perm = [int(axis) for axis in dice.random.permutation(len(shape))]
    return [dice.array(dice.pick(ALL), shape)], {"perm": perm} if shape and dice.once_in(2) else {}, 1


def concat(dice, opset):
    shape, dtype = dice.shape(1, 4), dice.pick(ALL)
    axis = dice.axis(len(shape)) if opset >= 11 else dice.below(len(shape))
    parts = []
    for _ in range(dice.between(1, 4)):
        part = list(shape)
        part[axis] = dice.length()
        parts.append(dice.array(dtype, part))
    return parts, {"axis": axis}, 1


def split(dice, opset):
    shape = dice.shape(1, 4)
    axis = dice.axis(len(shape)) if opset >= 11 else dice.below(len(shape))
    given, count = {"axis": axis}, dice.between(1, 4)
    x = lambda: dice.array(dice.pick(("float32", "int64", "float64", "int32")), shape)
    if opset >= 18 and dice.once_in(2):
        shape[axis] = max(shape[axis], count)
        if -(-shape[axis] // count) * (count - 1) > shape[axis]:
            shape[axis] = count
        return [x()], given | {"num_outputs": count}, count
    parts = [dice.length() for _ in range(count)]
    shape[axis] = sum(parts)
    if opset >= 13:
        return [x(), ints(parts)], given, count
    return [x()], given | {"split": parts}, count


def squeeze(dice, opset):
    shape = [1 if dice.once_in(2) else dice.length() for _ in range(dice.between(0, 4))]
    ones = [axis for axis, length in enumerate(shape) if length == 1]
    chosen = [axis for axis in ones if dice.once_in(2)]
    if opset >= 11:
        chosen = [axis - (len(shape) if dice.once_in(2) else 0) for axis in chosen]
    x = dice.array(dice.pick(ALL), shape)
    if not chosen:
        return [x], {}, 1
    return ([x, ints(chosen)], {}, 1) if opset >= 13 else ([x], {"axes": chosen}, 1)


def unsqueeze(dice, opset):
    shape = dice.shape(0, 3)
    rank = len(shape) + dice.between(1, 2)
    axes = [int(axis) for axis in dice.random.permutation(rank)[: rank - len(shape)]]
    if opset >= 11:
        axes = [axis - (rank if dice.once_in(2) else 0) for axis in axes]
    x = dice.array(dice.pick(ALL), shape)
    return ([x, ints(axes)], {}, 1) if opset >= 13 else ([x], {"axes": axes}, 1)


def flatten(dice, opset):
    shape = dice.shape(1, 4)
    axis = dice.between(-len(shape) if opset >= 11 else 0, len(shape))
    return [dice.array(dice.pick(ALL) if opset >= 9 else "float32", shape)], {"axis": axis} if dice.once_in(2) else {}, 1


def expand(dice, opset):
    shape = dice.shape(0, 4)
    small = dice.partner(shape)
    return [dice.array(dice.pick(ALL), small), ints(shape)], {}, 1


def tile(dice, opset):
    shape = dice.shape(1, 4)
    return [dice.array(dice.pick(ALL), shape), ints([dice.between(0 if dice.once_in(9) else 1, 3) for _ in shape])], {}, 1


def pad(dice, opset):
    mode = dice.pick(["constant", "reflect", "edge"] + (["wrap"] if opset >= 19 else []))
    shape = dice.shape(1, 4, low=2)
    low = -1 if mode == "constant" else 0
    given = {} if mode == "constant" and dice.once_in(2) else {"mode": mode}
    pads = [dice.between(low, 1 if mode != "constant" else 3) for _ in range(2 * len(shape))]
    x = dice.array(dice.pick(("float32", "float64", "int32", "int64")), shape)
    value = dice.array(x.dtype.name, []) if mode == "constant" and dice.once_in(2) else None
    if opset >= 18 and dice.once_in(2):
        axes = dice.axes(len(shape)) or [0]
        return [x, ints(pads[: 2 * len(axes)]), value, ints(axes)], given, 1
    return [x, ints(pads), value], given, 1


def slices(dice, opset):
    shape = dice.shape(1, 4)
    axes = dice.axes(len(shape)) or [0]
    far = 2**63 - 1
    starts = [dice.pick([dice.between(-6, 6), 0, far, -far - 1]) for _ in axes]
    ends = [dice.pick([dice.between(-6, 6), far, -far - 1]) for _ in axes]
    steps = [dice.pick([1, 1, 2, -1, -2, 3]) for _ in axes]
    kind = dice.pick([numpy.int64, numpy.int32])
    if kind is numpy.int32:
        starts, ends = ([max(min(each, 2**31 - 1), -2**31) for each in values] for values in (starts, ends))
    given = [numpy.array(values, kind) for values in (starts, ends, axes, steps)]
    if dice.once_in(3):
        given[3] = None
    return [dice.array(dice.pick(ALL), shape)] + given, {}, 1


def indices(dice, length, shape):
    return dice.random.integers(-length, length, shape, dtype=dice.pick([numpy.int32, numpy.int64]))


def gather(dice, opset):
    shape = dice.shape(1, 4, low=1)
    axis = dice.axis(len(shape))
    chosen = indices(dice, shape[axis], dice.shape(0, 3))
    if opset < 11:
        axis, chosen = axis % len(shape), chosen % shape[axis]
    return [dice.array(dice.pick(ALL), shape), chosen], {"axis": axis}, 1


def gather_elements(dice, opset):
    shape = dice.shape(1, 4, low=1)
    axis = dice.axis(len(shape))
    size = [dice.between(1, length) for length in shape]
    return [dice.array(dice.pick(ALL), shape), indices(dice, shape[axis], size)], {"axis": axis}, 1


def gather_nd(dice, opset):
    shape = dice.shape(1, 4, low=1)
    batch = dice.below(len(shape)) if opset >= 12 and dice.once_in(2) else 0
    depth = dice.between(1, len(shape) - batch)
    outer = shape[:batch] + dice.shape(0 if batch else 1, 2, low=1)
    columns = [dice.random.integers(-length, length, outer) for length in shape[batch : batch + depth]]
    chosen = numpy.stack(columns, -1).astype(numpy.int64)
    return [dice.array(dice.pick(ALL), shape), chosen], {"batch_dims": batch} if batch else {}, 1


def reduction(dice, opset):
    if opset >= 16 and dice.once_in(2):
        return {"reduction": dice.pick(["none", "add", "mul"] + (["max", "min"] if opset >= 18 else []))}
    return {}


def scatter_elements(dice, opset):
    shape = dice.shape(1, 3, low=1)
    axis = dice.axis(len(shape))
    dtype = dice.pick(("float32", "float64", "int32", "int64"))
    size = [dice.between(1, length) for length in shape]
    # Each place at most once along the axis: what is written last is not said.
    order = numpy.argsort(dice.random.random(shape), axis=axis)
    chosen = order[tuple(slice(0, length) for length in size)].astype(numpy.int64)
    if dice.once_in(2):
        chosen = numpy.where(dice.random.random(size) < 0.5, chosen, chosen - shape[axis])
    return [dice.array(dtype, shape), chosen, dice.array(dtype, size)], {"axis": axis} | reduction(dice, opset), 1


def scatter_nd(dice, opset):
    shape = dice.shape(1, 3, low=1)
    depth = dice.between(1, len(shape))
    places = numpy.array(list(numpy.ndindex(*shape[:depth])), numpy.int64)
    chosen = places[dice.random.permutation(len(places))[: dice.between(1, len(places))]]
    dtype = dice.pick(("float32", "float64", "int32", "int64"))
    updates = dice.array(dtype, [len(chosen)] + shape[depth:])
    return [dice.array(dtype, shape), chosen, updates], reduction(dice, opset), 1


def compress(dice, opset):
    shape = dice.shape(1, 3)
    if dice.once_in(2):
        axis = dice.axis(len(shape)) if opset >= 11 else dice.below(len(shape))
        length, given = shape[axis], {"axis": axis}
    else:
        length, given = int(numpy.prod(shape)), {}
    condition = dice.array("bool", [dice.between(0, length)])
    return [dice.array(dice.pick(("float32", "int64", "float64", "bool", "int8")), shape), condition], given, 1


def one_hot(dice, opset):
    depth = dice.between(1, 6)
    values = dice.array(dice.pick(("float32", "int64", "int32")), [2])
    chosen = indices(dice, depth + 2, dice.shape(0, 3)).astype(dice.pick(("int64", "float32", "int32")))
    rank = chosen.ndim
    given = {"axis": dice.between(-rank - 1, rank)} if dice.once_in(2) else {}
    return [chosen, numpy.array(depth if dice.once_in(2) else [depth], numpy.int64), values], given, 1


def unique(dice, opset):
    shape = dice.shape(1, 3, low=1)
    given = {"sorted": dice.below(2)} if dice.once_in(2) else {}
    if dice.once_in(2):
        given["axis"] = dice.axis(len(shape))
    return [dice.array(dice.pick(("float32", "int64", "int8", "float64")), shape, 0, 3).round()], given, 4


def trilu(dice, opset):
    shape = dice.shape(2, 4)
    given = {"upper": dice.below(2)} if dice.once_in(2) else {}
    k = numpy.array(dice.between(-6, 6), numpy.int64) if dice.once_in(2) else None
    return [dice.array(dice.pick(("float32", "int64", "float64", "bool")), shape), k], given, 1


def eye_like(dice, opset):
    given = {"k": dice.between(-4, 4)} if dice.once_in(2) else {}
    if dice.once_in(2):
        given["dtype"] = dice.pick([1, 7, 6])
    return [dice.array(dice.pick(("float32", "int64", "int32")), dice.shape(2, 2, low=1))], given, 1


def ranges(dice, opset):
    dtype = dice.pick(("int32", "int64", "float32", "float64", "int16"))
    step = dice.pick([1, 2, -1, -3]) * (1 if dtype.startswith("int") else 0.75)
    return [numpy.array(each, dtype) for each in (dice.between(-5, 5), dice.between(-9, 9), step)], {}, 1


def constant_of_shape(dice, opset):
    from onnx import numpy_helper

    value = dice.array(dice.pick(ALL), [1])
    return [ints(dice.shape())], {"value": numpy_helper.from_array(value)} if dice.once_in(2) else {}, 1


def shape_of(dice, opset):
    given = {key: dice.between(-5, 5) for key in ("start", "end") if opset >= 15 and dice.once_in(2)}
    return [dice.array(dice.pick(ALL), dice.shape())], given, 1


def space(to_space):
    def make(dice, opset):
        block = dice.between(1, 3)
        batch, channels, height, width = (dice.length(1) for _ in range(4))
        given = {"blocksize": block}
        if to_space:
            if opset >= 11 and dice.once_in(2):
                given["mode"] = dice.pick(["DCR", "CRD"])
            return [dice.array("float32", [batch, channels * block * block, height, width])], given, 1
        return [dice.array("float32", [batch, channels, height * block, width * block])], given, 1
    return make


def reverse_sequence(dice, opset):
    shape = dice.shape(2, 4, low=1)
    time = dice.below(2)
    given = {} if time == 0 and dice.once_in(2) else {"time_axis": time, "batch_axis": 1 - time}
    lengths = dice.random.integers(1, shape[time], shape[1 - time], dtype=numpy.int64, endpoint=True)
    return [dice.array(dice.pick(("float32", "int64", "float64", "int8")), shape), lengths], given, 1


def register(maker):
    for since, names in {
        7: [("Reshape", reshape), ("Transpose", transpose), ("Concat", concat), ("Split", split), ("Squeeze", squeeze),
            ("Unsqueeze", unsqueeze), ("Flatten", flatten), ("Tile", tile), ("Gather", gather), ("Shape", shape_of),
            ("SpaceToDepth", space(False)), ("DepthToSpace", space(True))],
        8: [("Expand", expand)],
        9: [("Compress", compress), ("EyeLike", eye_like), ("ConstantOfShape", constant_of_shape)],
        10: [("Slice", slices), ("ReverseSequence", reverse_sequence)],
        11: [("Pad", pad), ("GatherElements", gather_elements), ("GatherND", gather_nd), ("OneHot", one_hot),
             ("ScatterElements", scatter_elements), ("ScatterND", scatter_nd), ("Unique", unique), ("Range", ranges)],
        14: [("Trilu", trilu)],
    }.items():
        for name, make in names:
            maker(name, since=since, until=NEWEST)(make)
