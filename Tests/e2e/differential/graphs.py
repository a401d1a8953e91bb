"""Cases of a few nodes: chains and branches of them, subgraphs that capture, constants that can be folded."""

import numpy
from onnx import TensorProto, helper, numpy_helper

from .case import Case, model_of
from .dice import Dice

OPSET = 17


class Builder:
    """Nodes of one graph with the shapes of their values, all float32."""

    def __init__(self, dice, values, prefix=""):
        self.dice, self.prefix = dice, prefix
        self.values = dict(values)
        self.nodes, self.constants = [], {}

    def fresh(self):
        return f"{self.prefix}v{len(self.nodes)}_{len(self.values)}"

    def constant(self, array):
        name = f"{self.prefix}c{len(self.constants)}"
        self.constants[name] = numpy.asarray(array)
        return name

    def weights(self, *shape):
        return self.constant(self.dice.array("float32", list(shape), -1, 1))

    def add(self, operator, inputs, *shapes, **attributes):
        names = []
        for shape in shapes:
            names.append(self.fresh())
            self.values[names[-1]] = list(shape)
        self.nodes.append(helper.make_node(operator, inputs, names, **attributes))
        return names[0]

    def some(self, rank=None):
        """A value, the last ones more often; of a rank if one is asked for and there is one."""
        names = [name for name, shape in self.values.items() if rank is None or len(shape) == rank]
        if not names:
            return None
        return names[-1] if self.dice.once_in(2) else self.dice.pick(names)


def pointwise(b):
    x = b.some()
    b.add(b.dice.pick(["Relu", "Tanh", "Sigmoid", "Neg", "Abs", "Identity", "Softsign", "Dropout", "Erf"]), [x], b.values[x])


def affine(b):
    """Scale and shift of the last axis, or of the channels of `[B, C, T]`."""
    x = b.some()
    shape = b.values[x]
    if not shape:
        return
    small = [shape[-1]] if b.dice.once_in(2) or len(shape) != 3 else [shape[1], 1]
    for operator in b.dice.pick([["Mul"], ["Add"], ["Mul", "Add"], ["Sub", "Div"], ["Add", "Mul"]]):
        other = b.constant(b.dice.array("float32", small, 0.5, 2))
        x = b.add(operator, [x, other] if operator in ("Sub", "Div") or b.dice.once_in(2) else [other, x], shape)


def join(b):
    x = b.some()
    same = [name for name, shape in b.values.items() if shape == b.values[x]]
    b.add(b.dice.pick(["Add", "Sub", "Mul", "Max", "Min"]), [x, b.dice.pick(same)], b.values[x])


def project(b):
    x = b.some()
    shape, width = b.values[x], b.dice.length(1)
    if len(shape) < 2:
        return
    b.add("MatMul", [x, b.weights(shape[-1], width)], shape[:-1] + [width])
    if b.dice.once_in(2):
        affine(b)


def gemm(b):
    x = b.some(2)
    if x is None:
        return
    width = b.dice.length(1)
    b.add("Gemm", [x, b.weights(width, b.values[x][1]), b.weights(width)], [b.values[x][0], width], transB=1)


def convolve(b):
    x = b.some(3)
    if x is None or not all(b.values[x]):
        return
    batch, channels, time = b.values[x]
    width = b.dice.length(1)
    b.add("Conv", [x, b.weights(width, channels, 3), b.weights(width)], [batch, width, time], pads=[1, 1])
    if b.dice.once_in(2):
        vectors = [b.weights(width), b.weights(width), b.weights(width)]
        variance = b.constant(b.dice.array("float32", [width], 0.2, 2))
        last = list(b.values)[-1]
        b.add("BatchNormalization", [last, *vectors, variance], [batch, width, time])


def transpose(b):
    x = b.some()
    perm = [int(axis) for axis in b.dice.random.permutation(len(b.values[x]))]
    if perm:
        b.add("Transpose", [x], [b.values[x][axis] for axis in perm], perm=perm)


def concat(b):
    x = b.some()
    shape = b.values[x]
    if not shape:
        return
    same = b.dice.pick([name for name, other in b.values.items() if other == shape])
    axis = b.dice.below(len(shape))
    b.add("Concat", [x, same], [2 * n if i == axis else n for i, n in enumerate(shape)], axis=axis)


def normalize(b):
    x = b.some()
    shape = b.values[x]
    if not shape or not all(shape):
        return
    if b.dice.once_in(2):
        b.add("Softmax", [x], shape, axis=b.dice.axis(len(shape)))
    else:
        b.add("LayerNormalization", [x, b.weights(shape[-1]), b.weights(shape[-1])], shape, axis=-1, epsilon=0.1)


def reduce(b):
    x = b.some()
    shape = b.values[x]
    if not shape or not all(shape):
        return
    axis = b.dice.below(len(shape))
    b.add(b.dice.pick(["ReduceMean", "ReduceMax", "ReduceMin", "ReduceL1"]), [x],
          [1 if i == axis else n for i, n in enumerate(shape)], axes=[axis], keepdims=1)


def cut(b):
    x = b.some()
    shape = b.values[x]
    if not shape or shape[-1] < 2:
        return
    half = shape[-1] // 2
    if b.dice.once_in(2):
        sizes = b.constant(numpy.array([half, shape[-1] - half], numpy.int64))
        b.add("Split", [x, sizes], shape[:-1] + [half], shape[:-1] + [shape[-1] - half], axis=-1)
    else:
        bounds = [b.constant(numpy.array([each], numpy.int64)) for each in (half, 10**6, -1)]
        b.add("Slice", [x, *bounds], shape[:-1] + [shape[-1] - half])


def reshape(b):
    """To the shape that Shape, Gather and Concat tell, the last two axes made one."""
    x = b.some()
    shape = b.values[x]
    if len(shape) < 2 or not all(shape):
        return
    whole = b.fresh() + "s"
    b.nodes.append(helper.make_node("Shape", [x], [whole]))
    kept = b.constant(numpy.arange(len(shape) - 2, dtype=numpy.int64))
    b.nodes.append(helper.make_node("Gather", [whole, kept], [whole + "k"], axis=0))
    b.nodes.append(helper.make_node("Concat", [whole + "k", b.constant(numpy.array([-1], numpy.int64))], [whole + "t"], axis=0))
    b.add("Reshape", [x, whole + "t"], shape[:-2] + [shape[-2] * shape[-1]])


def choose(b):
    x = b.some()
    shape = b.values[x]
    same = b.dice.pick([name for name, other in b.values.items() if other == shape])
    mask = b.fresh() + "m"
    b.nodes.append(helper.make_node("Greater", [x, b.constant(numpy.float32(0.1))], [mask]))
    b.add("Where", [mask, x, same], shape)


def body(b, name, inputs, shape, outputs_before=(), steps=2):
    """A subgraph that starts from values of the same shape, and may read those around it."""
    inner = Builder(b.dice, {each: shape for each in inputs}, prefix=f"{name}_")
    reach = [each for each, other in b.values.items() if other == shape]
    x = inputs[0] if inputs else b.dice.pick(reach)
    for _ in range(steps):
        operator = b.dice.pick(["Add", "Mul", "Sub", "Tanh", "Relu"])
        if operator in ("Tanh", "Relu"):
            x = inner.add(operator, [x], shape)
        else:
            x = inner.add(operator, [x, b.dice.pick(reach + list(inner.values)) if reach else x], shape)
    return inner, inner.add("Tanh", [x], shape)


def graph_of(inner, name, inputs, outputs):
    constants = [numpy_helper.from_array(value, each) for each, value in inner.constants.items()]
    infos = [[helper.make_tensor_value_info(each, kind, None if kind == TensorProto.FLOAT else []) for each, kind in values]
             for values in (inputs, outputs)]
    return helper.make_graph(inner.nodes, name, *infos, constants)


def branch(b):
    x = b.some()
    shape, name = b.values[x], b.fresh()
    if not all(shape):
        return
    axes = {"keepdims": 0}
    b.nodes.append(helper.make_node("ReduceSum", [x], [name + "sum"], **axes))
    b.nodes.append(helper.make_node("Greater", [name + "sum", b.constant(numpy.float32(0))], [name + "if"]))
    graphs = {}
    for which in ("then_branch", "else_branch"):
        inner, last = body(b, name + which[0], [], shape)
        graphs[which] = graph_of(inner, which, [], [(last, TensorProto.FLOAT)])
    b.add("If", [name + "if"], shape, **graphs)


def loop(b):
    x = b.some()
    shape, name, trips = b.values[x], b.fresh(), b.dice.between(0 if b.dice.once_in(5) else 1, 4)
    inner, last = body(b, name, [name + "s"], shape)
    inner.nodes.append(helper.make_node("Identity", [name + "c"], [name + "co"]))
    inner.nodes.append(helper.make_node("Identity", [last], [name + "each"]))
    inputs = [(name + "i", TensorProto.INT64), (name + "c", TensorProto.BOOL), (name + "s", TensorProto.FLOAT)]
    outputs = [(name + "co", TensorProto.BOOL), (last, TensorProto.FLOAT), (name + "each", TensorProto.FLOAT)]
    known = [b.constant(numpy.int64(trips)), b.constant(numpy.bool_(True)), x]
    if trips == 0 or len(shape) > 3:
        b.add("Loop", known, shape, body=graph_of(inner, "body", inputs, outputs[:2]))
    else:
        b.add("Loop", known, shape, [trips] + shape, body=graph_of(inner, "body", inputs, outputs))


def scan(b):
    x = b.some(3)
    if x is None or not all(b.values[x]):
        return
    shape, name = b.values[x], b.fresh()
    axis, back = b.dice.below(3), b.dice.below(2)
    rest = shape[:axis] + shape[axis + 1:]
    state = b.constant(numpy.zeros(rest, numpy.float32))
    inner = Builder(b.dice, {name + "h": rest, name + "x": rest}, prefix=name + "_")
    mixed = inner.add("Add", [name + "h", name + "x"], rest)
    if b.dice.once_in(2):
        captured = b.constant(b.dice.array("float32", [rest[-1]], -1, 1))
        mixed = inner.add("Mul", [mixed, captured], rest)
    last = inner.add("Tanh", [mixed], rest)
    inner.nodes.append(helper.make_node("Identity", [last], [name + "e"]))
    graph = graph_of(inner, "step", [(name + "h", TensorProto.FLOAT), (name + "x", TensorProto.FLOAT)],
                     [(last, TensorProto.FLOAT), (name + "e", TensorProto.FLOAT)])
    b.add("Scan", [state, x], rest, [shape[axis]] + rest, body=graph, num_scan_inputs=1, scan_input_axes=[axis],
          scan_input_directions=[back], scan_output_directions=[b.dice.below(2)])


STEPS = [pointwise, pointwise, affine, affine, join, project, project, gemm, convolve, transpose, concat, normalize, reduce, cut,
         reshape, choose, branch, loop, scan]


def generate(number):
    """The graph with a number, always the same: up to some fifteen steps, one or two inputs, one to three outputs."""
    dice = Dice([1, number])
    inputs = {"x": dice.array("float32", [dice.length(1), dice.length(1), dice.length(1)], -2, 2)}
    if dice.once_in(2):
        inputs["z"] = dice.array("float32", list(inputs["x"].shape) if dice.once_in(2) else dice.shape(1, 2, low=1), -2, 2)
    b = Builder(dice, {name: list(value.shape) for name, value in inputs.items()})
    while len(b.values) < len(inputs) + 2 or dice.between(0, 14) > len(b.nodes) // 2:
        dice.pick(STEPS)(b)
    made = [name for name in b.values if name not in inputs]
    chosen = sorted({made[-1], dice.pick(made), dice.pick(made)})
    read = {name for node in b.nodes for name in node.input} | captured(b.nodes)
    inputs = {name: value for name, value in inputs.items() if name in read}
    return Case(f"graph-{number}", model_of(b.nodes, inputs, b.constants, chosen, OPSET), inputs)


def captured(nodes):
    """The names that subgraphs read."""
    names = set()
    for node in nodes:
        for attribute in node.attribute:
            if attribute.HasField("g"):
                names |= {name for inner in attribute.g.node for name in inner.input} | captured(attribute.g.node)
    return names
