"""Graphs under construction."""

import dataclasses
import itertools

import numpy
import onnx
from onnx import TensorProto, helper, numpy_helper


@dataclasses.dataclass(frozen=True)
class Value:
    """A tensor by name, with its axes in order: "N" sequences, "C" channels, numbers for nested axes of time."""

    name: str
    axes: tuple

    def without(self, axis):
        return tuple(each for each in self.axes if each != axis)

    def index(self, axis):
        return self.axes.index(axis)


class Scope:
    """A graph that grows node by node. Names are unique in the whole model."""

    def __init__(self, rng, opset, outer=None, place=()):
        self.rng, self.opset, self.outer, self.place = rng, opset, outer, place
        self.nodes, self.initializers = [], []
        self.numbers = outer.numbers if outer else itertools.count()

    @property
    def root(self):
        return self.outer.root if self.outer else self

    def fresh(self, stem):
        return f"{stem}_{next(self.numbers)}"

    def chance(self, probability):
        return self.rng.random() < probability

    def choose(self, *options):
        return options[self.rng.integers(len(options))]

    def op(self, kind, *inputs, outputs=None, metadata=None, **attributes):
        """Adds a node; the name of its output, or a list of names for several."""
        names = outputs or [self.fresh(kind.lower())]
        node = helper.make_node(kind, inputs, names, self.fresh("node"), **attributes)
        for key, value in (metadata or {}).items():
            node.metadata_props.add(key=key, value=value)
        self.nodes.append(node)
        return names[0] if len(names) == 1 else names

    def constant(self, value, dtype=numpy.float32, near=False):
        """A constant: an initializer here or in the root graph, or a node."""
        array = numpy.asarray(value, dtype)
        name = self.fresh("constant")
        where = self if near or self.chance(0.5) else self.root
        if self.chance(0.1):
            where.nodes.insert(0, helper.make_node("Constant", [], [name], value=numpy_helper.from_array(array, name)))
        else:
            where.initializers.append(numpy_helper.from_array(array, name))
        return name

    def integers(self, *values):
        return self.constant(values, numpy.int64)

    def weights(self, *shape, scale=None):
        scale = (0.8 / numpy.sqrt(shape[0]) if len(shape) > 1 else 0.5) if scale is None else scale
        return self.constant(self.rng.normal(0, scale, shape))

    def reduce(self, kind, name, axes, keepdims):
        """A reduction over axes, which are an input or an attribute as the opset has it; of None over all."""
        if axes is None:
            return self.op(kind, name, keepdims=keepdims)
        if self.opset >= (13 if kind == "ReduceSum" else 18):
            return self.op(kind, name, self.integers(*axes), keepdims=keepdims)
        return self.op(kind, name, axes=list(axes), keepdims=keepdims)

    def unsqueeze(self, name, axis):
        """A value with one more axis; axes are an attribute before opset 13."""
        return self.op("Unsqueeze", name, self.integers(axis)) if self.opset >= 13 else self.op("Unsqueeze", name, axes=[axis])

    def scalar(self, name):
        """A vector of one element without its axis."""
        return self.op("Squeeze", name, self.integers(0)) if self.opset >= 13 else self.op("Squeeze", name, axes=[0])

    def arrange(self, value, axes):
        """The value with its axes in another order."""
        if value.axes == tuple(axes):
            return value
        return Value(self.op("Transpose", value.name, perm=[value.index(axis) for axis in axes]), tuple(axes))

    def size(self, value, axis):
        """How long an axis is, as a tensor without axes."""
        shape = self.op("Shape", value.name)
        return self.op("Gather", shape, self.constant(value.index(axis), numpy.int64), axis=0)

    def inside(self, node, attribute):
        return Scope(self.rng, self.opset, self, self.place + ((node, attribute),))

    def graph(self, name, inputs, outputs):
        return helper.make_graph(self.nodes, name, inputs, outputs, self.initializers)


def declared(name, kind=TensorProto.FLOAT, shape=None):
    return helper.make_tensor_value_info(name, kind, shape)


def model(graph, opset, metadata):
    made = helper.make_model(
        graph, ir_version=10, opset_imports=[helper.make_opsetid("", opset)], producer_name="graphs")
    helper.set_model_props(made, metadata)
    onnx.checker.check_model(made, full_check=True)
    return made
