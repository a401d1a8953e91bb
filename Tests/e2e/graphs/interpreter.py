"""A plain interpreter of ONNX graphs: node by node, loops as loops, every value open to a watcher.

It shares no code and no idea with the program under test. A watcher is called as `watch(place, name, steps, value)` with every
input of a graph and every value a node makes, and returns the value to go on with, so that one can be noted or replaced without
touching the graph. `place`
names the graph, a tuple of (node, attribute) from the outermost in; `steps` are the positions in the enclosing loops: of a Scan
whose inputs all run backward the position in its inputs, else the iteration.
"""

import dataclasses
import typing

import numpy
import onnx
from onnx import numpy_helper

from .operators import OPERATORS


@dataclasses.dataclass
class Node:
    """What an operator sees of its node."""

    attributes: dict
    outputs: int
    floats: typing.Callable
    watched: typing.Callable


@dataclasses.dataclass
class Frame:
    """The values of a graph while it runs, and the graph around it."""

    values: dict
    place: tuple = ()
    steps: tuple = ()
    outer: "Frame | None" = None

    def __getitem__(self, name):
        if name in self.values:
            return self.values[name]
        assert self.outer is not None, f"no value {name}"
        return self.outer[name]


class Interpreter:
    """Runs a model. With `wide` all float32 arithmetic is done in float64."""

    def __init__(self, model, wide=True, watch=None):
        self.model = model
        self.wide = wide
        self.watch = watch or (lambda place, name, steps, value: value)
        self.read = {}

    def run(self, inputs):
        """The outputs by their names."""
        frame = Frame({name: self.watch((), name, (), self.widened(value)) for name, value in inputs.items()})
        outputs = self.run_graph(self.model.graph, frame)
        return {output.name: value for output, value in zip(self.model.graph.output, outputs)}

    def floats(self, dtype):
        return numpy.dtype(numpy.float64) if self.wide and dtype == numpy.float32 else numpy.dtype(dtype)

    def widened(self, value):
        value = numpy.asarray(value)
        return value.astype(self.floats(value.dtype))

    def contents(self, graph):
        """The initializers, the nodes and the outputs of a graph, read once."""
        if id(graph) not in self.read:
            constants = {each.name: self.widened(numpy_helper.to_array(each)) for each in graph.initializer}
            nodes = [
                (node, list(node.input), list(node.output), {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute})
                for node in graph.node]
            # the graph is kept too, so that no other one gets its id
            self.read[id(graph)] = constants, nodes, [output.name for output in graph.output], graph
        return self.read[id(graph)][:3]

    def run_graph(self, graph, frame):
        constants, nodes, results = self.contents(graph)
        frame.values = constants | frame.values
        for node, names, results_of_node, attributes in nodes:
            inputs = [frame[name] if name else None for name in names]
            outputs = self.run_node(node, attributes, inputs, frame)
            assert len(outputs) >= len(results_of_node), node.name
            for name, value in zip(results_of_node, outputs):
                if name:
                    frame.values[name] = self.watch(frame.place, name, frame.steps, numpy.asarray(value))
        return [frame[name] for name in results]

    def run_node(self, node, attributes, inputs, frame):
        assert node.domain in ("", "ai.onnx"), node.domain
        if node.op_type in ("Scan", "Loop", "If"):
            return getattr(self, "run_" + node.op_type.lower())(node, attributes, inputs, frame)
        view = Node(
            attributes, len(node.output), self.floats,
            lambda name, value: self.watch(frame.place, node.name + name, frame.steps, value))
        outputs = OPERATORS[node.op_type](view, *inputs)
        return outputs if isinstance(outputs, tuple) else (outputs,)

    def enter(self, node, attribute, frame, graph, inputs, step=()):
        """Runs a subgraph of a node once."""
        place, steps = frame.place + ((node.name, attribute),), frame.steps + step
        values = {
            each.name: self.watch(place, each.name, steps, value) for each, value in zip(graph.input, inputs, strict=True)}
        return self.run_graph(graph, Frame(values, place, steps, frame))

    def run_if(self, node, attributes, inputs, frame):
        branch = "then_branch" if inputs[0].item() else "else_branch"
        return self.enter(node, branch, frame, attributes[branch], [])

    def run_loop(self, node, attributes, inputs, frame):
        limit, condition, *states = inputs
        body = attributes["body"]
        rows = [[] for _ in body.output[1 + len(states):]]
        goes_on = condition is None or bool(condition.item())
        iteration = 0
        while goes_on and (limit is None or iteration < limit.item()):
            arguments = [numpy.asarray(iteration), numpy.asarray(True), *states]
            again, *outputs = self.enter(node, "body", frame, body, arguments, (iteration,))
            goes_on, states = bool(again.item()), outputs[:len(states)]
            for row, value in zip(rows, outputs[len(states):]):
                row.append(value)
            iteration += 1
        return [*states, *(stacked(row) for row in rows)]

    def run_scan(self, node, attributes, inputs, frame):
        body, count = attributes["body"], attributes["num_scan_inputs"]
        states, scanned = inputs[:len(inputs) - count], inputs[len(inputs) - count:]
        axes = attributes.get("scan_input_axes", [0] * count)
        backward = attributes.get("scan_input_directions", [0] * count)
        scanned = [numpy.moveaxis(x, axis, 0) for x, axis in zip(scanned, axes, strict=True)]
        scanned = [x[::-1] if reverse else x for x, reverse in zip(scanned, backward, strict=True)]
        length = len(scanned[0])
        assert all(len(x) == length for x in scanned), "scan inputs of different lengths"
        rows = [[] for _ in body.output[len(states):]]
        for iteration in range(length):
            step = length - 1 - iteration if all(backward) else iteration
            outputs = self.enter(node, "body", frame, body, [*states, *(x[iteration] for x in scanned)], (step,))
            states = outputs[:len(states)]
            for row, value in zip(rows, outputs[len(states):]):
                row.append(value)
        axes = attributes.get("scan_output_axes", [0] * len(rows))
        backward = attributes.get("scan_output_directions", [0] * len(rows))
        stacks = [stacked(row[::-1] if reverse else row) for row, reverse in zip(rows, backward, strict=True)]
        return [*states, *(numpy.moveaxis(x, 0, axis) if length else x for x, axis in zip(stacks, axes, strict=True))]


def stacked(rows):
    """Along a new first axis; of no rows not even the rank is known."""
    return numpy.stack(rows) if rows else numpy.zeros(0)
