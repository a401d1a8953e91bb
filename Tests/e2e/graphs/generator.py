"""Random training graphs of nested loops, and batches for them.

A graph consumes the axes of time of its input one after the other: each by a Scan or a Loop over a body that consumes the rest in
the same way, mixes what comes out with its state and normalizes it over the sequences alive. Everything else is up to chance: see
`FEATURES`. A seed's kind, its 10,000s, says what else: see `KINDS`.
"""

import copy
import dataclasses
import json

import numpy
import onnx
from onnx import TensorProto, helper

from .normalization import Normalizer, Site
from .scope import Scope, Value, declared, model

# What the graphs together must show, counted by their generator.
FEATURES = {
    "Scan", "Loop", "If", "backward", "both directions", "axis", "second state", "scan output", "unused scan output",
    "axis of output", "backward output", "Loop by condition", "no mask", "body used twice", "count from outside",
    "statistic put out", "statistic is a scan output",
    "node", "model", "option", "pattern", "training", "pair", "counted", "center", "rms", "spread", "ReduceMean",
    "depth 1", "depth 2", "depth 3", "steps of its own", "loop in a branch",
}
# opset: one before 13, so that Scan may be one that has no Range. steps: a loop in a loop runs as many steps as its longest
# sequence has, each time. branch: a loop in a loop is in a branch of If, taken at some steps.
KINDS = ("", "opset", "steps", "branch")


@dataclasses.dataclass(frozen=True)
class Case:
    """A training graph with its statistics, the options that name them, and batches."""

    seed: int
    model: onnx.ModelProto
    sites: list[Site]
    options: list[str]
    batches: list[dict]
    longer: dict
    features: set

    def __repr__(self):
        return f"seed {self.seed}"


def generate(seed):
    """The case of a seed."""
    rng = numpy.random.default_rng([2026, seed])
    return Generator(seed, rng).case()


class Generator:
    def __init__(self, seed, rng):
        self.seed, self.rng = seed, rng
        self.kind = KINDS[seed // 10_000]
        self.depth = 1 + seed % 3 if self.kind in ("", "opset") else 2 + seed % 2
        # training_mode is of opset 14
        possible = [way for way in Normalizer.WAYS if way != "training" or self.kind != "opset"]
        ways = rng.choice(possible, size=1 + rng.integers(3), replace=False).tolist()
        self.normalize = Normalizer(rng, ways)
        self.is_masked = rng.random() < 0.8 or self.kind in ("steps", "branch")
        self.has_gate, self.gates = rng.random() < 0.35, []
        self.channels = 2 + int(rng.integers(2))
        self.outputs = []
        self.features = {f"depth {self.depth}"} | ({"no mask"} if not self.is_masked else set())

    def case(self):
        times = tuple(range(self.depth))
        axes = ["N", *times, "C"] if self.rng.random() < 0.5 else list(self.rng.permutation(["N", *times, "C"]).tolist())
        axes = tuple(int(axis) if str(axis).isdigit() else axis for axis in axes)
        opset = int(self.rng.integers(9, 13)) if self.kind == "opset" else int(self.rng.integers(17, 22))
        root = self.scope = Scope(self.rng, opset)
        x = Value("x", axes)
        mask = Value("mask", x.without("C")) if self.is_masked else None
        predictions, size = self.network(root, x, mask)
        root.op("MatMul", predictions.name, root.weights(size, 2), outputs=["predictions"])
        self.outputs.append(declared("predictions", shape=["batch", 2]))
        made = model(
            root.graph(f"case_{self.seed}", self.inputs(x, mask), self.outputs), root.opset,
            {"bn_statistics": json.dumps(self.normalize.entries)} if self.normalize.entries else {})
        features = self.features | self.normalize.features
        batches = [self.batch(x, mask) for _ in range(int(self.rng.integers(2, 6)))]
        return Case(
            self.seed, made, self.normalize.sites, self.normalize.options, batches, self.batch(x, mask, longest=8), features)

    def inputs(self, x, mask):
        def shape(value):
            return [{"N": "batch", "C": self.channels}.get(axis, f"time_{axis}") for axis in value.axes]

        inputs = [declared("x", shape=shape(x))]
        if mask:
            inputs.append(declared("mask", shape=shape(mask)))
        if self.has_gate:
            inputs.append(declared("gate", shape=[1]))
        return inputs

    def network(self, root, x, mask):
        """All between the inputs and the last linear layer; a value [N, C] and its channels."""
        if self.has_gate:
            self.gate = root.scalar(root.op("Greater", "gate", root.constant([0.0])))
        if root.chance(0.5):
            self.normalize.sequences = root.op("Cast", root.size(x, "N"), to=1)
        if root.chance(0.4):
            x, mean = self.normalize(root, x, mask, self.channels)
            if mean and root.chance(0.5):
                self.put_out(mean)
        h, size = self.recurrence(root, x, mask, self.channels)
        if root.chance(0.4):
            h, _ = self.normalize(root, h, None, size)
        return h, size

    def put_out(self, mean):
        """Makes a labelled mean an output of the model."""
        self.features.add("statistic put out")
        self.outputs.append(declared(mean, shape=[None] * self.normalize.ranks[mean]))

    def recurrence(self, scope, x, mask, channels):
        """Consumes the first axis of time by a loop, the others by loops in its body: a value [N, C] and its channels."""
        time = min(axis for axis in x.axes if axis not in ("N", "C"))
        if scope.chance(0.5):
            x = scope.arrange(x, tuple(self.shuffled(x.axes)))
        size = 2 + int(self.rng.integers(3))
        kind = scope.choose("Scan", "Scan", "Loop")
        self.features.add(kind)
        name = scope.fresh(kind.lower())
        first = len(self.normalize.sites), len(self.normalize.options), len(self.normalize.entries)
        build = self.scan if kind == "Scan" else self.loop
        h, each = build(scope, name, x, mask, time, channels, size)
        node = scope.nodes[-1]
        if not scope.place and len(self.normalize.options) == first[1] and scope.chance(0.35):
            h = self.again(scope, node, h, first)
        if each and scope.chance(0.6):
            self.features.add("scan output")
            rows = scope.arrange(each, (time, "N", "C"))
            h = Value(scope.op("Add", h.name, scope.reduce("ReduceMax", rows.name, [0], 0)), h.axes)
        elif each:
            self.features.add("unused scan output")
        return h, size

    def branched(self, scope, x, mask, channels):
        """A loop in the branch of an If that is taken where more than one sequence goes on; else zeros."""
        self.features.add("loop in a branch")
        going = scope.op("ReduceSum", self.alive(scope, mask), keepdims=0)
        chosen = scope.op("Greater", going, scope.constant(1.0))
        name = scope.fresh("if")
        inside = scope.inside(name, "then_branch")
        h, size = self.recurrence(inside, x, mask, channels)
        taken = inside.op("Identity", h.name)
        other = scope.inside(name, "else_branch")
        shape = other.op("Concat", other.unsqueeze(other.size(x, "N"), 0), other.integers(size), axis=0)
        zeros = other.op("ConstantOfShape", shape)
        graphs = [
            inside.graph("then_branch", [], [declared(taken, shape=[None, None])]),
            other.graph("else_branch", [], [declared(zeros, shape=[None, None])])]
        result = scope.fresh("chosen")
        scope.nodes.append(helper.make_node("If", [chosen], [result], name, then_branch=graphs[0], else_branch=graphs[1]))
        return Value(result, ("N", "C")), size

    def alive(self, scope, mask):
        """Which sequences go on, [N]."""
        arranged = scope.arrange(mask, ("N", *mask.without("N")))
        return scope.reduce("ReduceMax", arranged.name, range(1, len(mask.axes)), 0)

    def own_steps(self, scope, mask, time):
        """How many steps the longest sequence has, int64 without axes; 0 where none goes on."""
        self.features.add("steps of its own")
        rest = tuple(axis for axis in mask.axes if axis not in ("N", time))
        alive = scope.arrange(mask, ("N", time, *rest)).name
        if rest:
            alive = scope.reduce("ReduceMax", alive, range(2, 2 + len(rest)), 0)
        longest = scope.op("ReduceMax", scope.reduce("ReduceSum", alive, [1], 0), keepdims=0)
        return scope.op("Cast", longest, to=TensorProto.INT64)

    def has_own_steps(self, scope):
        return self.kind == "steps" and any(attribute == "body" for _, attribute in scope.place)

    def shuffled(self, axes):
        order = self.rng.permutation(len(axes))
        return [axes[index] for index in order]

    def states(self, scope, x, size):
        """The first states: h of zeros, or of a value around it, and c if there is one."""
        batch = scope.unsqueeze(scope.size(x, "N"), 0)
        shape = scope.op("Concat", batch, scope.integers(size), axis=0)
        h = scope.op("Expand", scope.constant(self.rng.normal(0, 0.3, (1, size))), shape)
        if scope.chance(0.5):
            return [h]
        self.features.add("second state")
        return [h, scope.op("ConstantOfShape", shape)]

    def step(self, body, x, mask, states, channels, size):
        """One step: what is left of the axes of time is consumed, then h and c are the next ones."""
        if len(x.axes) > 2:
            if body.chance(0.3):
                x, _ = self.normalize(body, x, mask, channels)
            inner = self.branched if self.kind == "branch" else self.recurrence
            x, channels = inner(body, x, mask, channels)
        else:
            x = body.arrange(x, ("N", "C"))
        alive = None
        if mask:
            alive = body.arrange(mask, ("N", *mask.without("N")))
            if len(mask.axes) > 1:
                alive = Value(body.reduce("ReduceMax", alive.name, range(1, len(mask.axes)), 0), ("N",))
        z = body.op(
            "Add", body.op("MatMul", x.name, body.weights(channels, size)),
            body.op("MatMul", states[0], body.weights(size, size)))
        y, mean = self.gated(body, Value(z, ("N", "C")), alive, size)
        h = body.op("Tanh", y.name)
        c = None
        if len(states) > 1:
            c = body.op("Add", body.op("Mul", states[1], body.constant(0.5)), h)
            h = body.op("Tanh", c)
        following = [body.op("Identity", h), c and body.op("Identity", c)][:len(states)]
        if alive:
            column = body.unsqueeze(alive.name, 1)
            rest = body.op("Sub", body.constant(1.0), column)
            following = [
                body.op("Add", body.op("Mul", new, column), body.op("Mul", rest, old)) for new, old in zip(following, states)]
        return following, h, mean

    def gated(self, scope, z, alive, size):
        """A normalization, or an If with the normalization in one branch, or two branches with one each."""
        if not self.has_gate or scope.chance(0.4):
            return self.normalize(scope, z, alive, size)
        self.features.add("If")
        name = scope.fresh("if")
        graphs = []
        for branch in ("then_branch", "else_branch"):
            inside = scope.inside(name, branch)
            if branch == "then_branch" or scope.chance(0.3):
                y, _ = self.normalize(inside, z, alive, size)
            else:
                y = Value(inside.op("Mul", z.name, inside.constant(0.5)), z.axes)
            result = inside.op("Identity", y.name)
            graphs.append(inside.graph(branch, [], [declared(result, shape=[None, None])]))
        result = scope.fresh("chosen")
        scope.nodes.append(helper.make_node("If", [self.gate], [result], name, then_branch=graphs[0], else_branch=graphs[1]))
        return Value(result, z.axes), None

    def scan(self, scope, name, x, mask, time, channels, size):
        states = self.states(scope, x, size)
        if self.has_own_steps(scope):
            # at least one: onnxruntime divides by the length of what a Scan scans
            limit = scope.op("Max", self.own_steps(scope, mask, time), scope.constant(1, numpy.int64))
            limit = scope.unsqueeze(limit, 0)
            x, mask = (
                Value(scope.op("Slice", value.name, scope.integers(0), limit, scope.integers(value.index(time))), value.axes)
                for value in (x, mask))
        scanned = [value for value in (x, mask) if value]
        backward = [int(scope.chance(0.3))] * len(scanned)
        body = scope.inside(name, "body")
        inner = [Value(body.fresh("step_of_" + value.name.split("_")[0]), value.without(time)) for value in scanned]
        inputs = [body.fresh("state") for _ in states]
        names, axes = [value.name for value in scanned], [value.index(time) for value in scanned]
        if mixed := scope.chance(0.15) and scope.opset >= 11:
            # the number of the step as another input, in the other direction
            length = scope.size(x, time)
            numbers = scope.op("Range", scope.constant(0, numpy.int64), length, scope.constant(1, numpy.int64))
            names.append(scope.op("Cast", numbers, to=1))
            axes.append(0)
            backward.append(1 - backward[0])
            number = body.fresh("number")
        self.features |= {"both directions"} if mixed else {"backward"} if backward[0] else set()
        self.features |= {"axis"} if any(axes) else set()
        x_step = inner[0]
        if mixed:
            x_step = Value(body.op("Add", x_step.name, body.op("Mul", number, body.constant(0.1))), x_step.axes)
        following, h, mean = self.step(body, x_step, inner[1] if mask else None, inputs, channels, size)
        outputs, kept = list(following), [scope.fresh("last") for _ in states]
        each, output_axes, output_backward = None, [], []
        if scope.chance(0.5) and not self.has_own_steps(scope):
            axis, reverse = int(self.rng.integers(3)), int(scope.chance(0.3))
            self.features |= ({"axis of output"} if axis else set()) | ({"backward output"} if reverse else set())
            order = ["N", "C"]
            order.insert(axis, time)
            each = Value(scope.fresh("each"), tuple(order))
            outputs.append(body.op("Identity", h))
            kept.append(each.name)
            output_axes.append(axis)
            output_backward.append(reverse)
        if mean and scope.chance(0.3):
            self.statistic_output(scope, mean, outputs, kept)
            output_axes.append(0)
            output_backward.append(0)
        attributes = {"scan_input_axes": [
            axis - len(value.axes) if scope.chance(0.3) and scope.opset >= 11 else axis for axis, value in zip(axes, [*scanned, Value("", (0,))])]}
        if any(backward) or scope.chance(0.2):
            attributes["scan_input_directions"] = backward
        if any(output_axes) or (output_axes and scope.chance(0.2)):
            attributes["scan_output_axes"] = output_axes
        if any(output_backward) or (output_axes and scope.chance(0.2)):
            attributes["scan_output_directions"] = output_backward
        graph = body.graph(
            name, [declared(each) for each in inputs + [value.name for value in inner] + ([number] if mixed else [])],
            [declared(each, shape=[None] * self.normalize.ranks.get(each, 2)) for each in outputs])
        scope.nodes.append(helper.make_node(
            "Scan", states + names, kept, name, body=graph, num_scan_inputs=len(names), **attributes))
        return Value(kept[0], ("N", "C")), each

    def loop(self, scope, name, x, mask, time, channels, size):
        states = self.states(scope, x, size)
        limit = self.own_steps(scope, mask, time) if self.has_own_steps(scope) else scope.size(x, time)
        body = scope.inside(name, "body")
        iteration, condition = body.fresh("iteration"), body.fresh("condition")
        inputs = [body.fresh("state") for _ in states]
        index = iteration
        if scope.chance(0.3):
            last = body.op("Sub", limit, body.constant(1, numpy.int64))
            index = body.op("Sub", last, iteration)

        def at(value):
            return value and Value(body.op("Gather", value.name, index, axis=value.index(time)), value.without(time))

        following, h, mean = self.step(body, at(x), at(mask), inputs, channels, size)
        if by_condition := scope.chance(0.4) and not self.has_own_steps(scope):
            self.features.add("Loop by condition")
            after = body.op("Add", iteration, body.constant(1, numpy.int64))
            again = body.op("Less", after, limit)
        else:
            again = body.op("Identity", condition)
        outputs, kept, each = [again, *following], [scope.fresh("last") for _ in states], None
        if scope.chance(0.5) and not self.has_own_steps(scope):
            each = Value(scope.fresh("each"), (time, "N", "C"))
            outputs.append(body.op("Identity", h))
            kept.append(each.name)
        if mean and scope.chance(0.3):
            self.statistic_output(scope, mean, outputs, kept)
        graph = body.graph(
            name,
            [declared(iteration, TensorProto.INT64, []), declared(condition, TensorProto.BOOL, []),
             *(declared(each) for each in inputs)],
            [declared(again, TensorProto.BOOL, []),
             *(declared(each, shape=[None] * self.normalize.ranks.get(each, 2)) for each in outputs[1:])])
        true = scope.constant(True, bool)
        scope.nodes.append(helper.make_node(
            "Loop", ["" if by_condition else limit, true if by_condition or scope.chance(0.5) else "", *states], kept, name,
            body=graph))
        return Value(kept[0], ("N", "C")), each

    def statistic_output(self, scope, mean, outputs, kept):
        """The labelled mean is itself a scan output; in the outermost loop of the model too."""
        self.features.add("statistic is a scan output")
        outputs.append(mean)
        kept.append(scope.fresh("means"))
        if not scope.place:
            self.outputs.append(declared(kept[-1], shape=[None] * (1 + self.normalize.ranks[mean])))

    def again(self, scope, node, h, first):
        """A second loop with the same body, labels and all, that starts from the state the first ended with."""
        self.features.add("body used twice")
        twin = copy.deepcopy(node)
        twin.name = node.name + "_again"
        twin.output[:] = [name + "_again" for name in node.output]
        twin.input[2 if node.op_type == "Loop" else 0] = h.name
        scope.nodes.append(twin)
        sites = self.normalize.sites[first[0]:]
        for site in sites:
            place = ((twin.name, "body"), *site.place[1:])
            self.normalize.sites.append(dataclasses.replace(site, place=place))
        for entry in self.normalize.entries[first[2]:]:
            self.normalize.entries.append({**entry, "graph": [twin.name, *entry["graph"][1:]]})
        return Value(twin.output[0], h.axes)

    def batch(self, x, mask, longest=5):
        """Sequences of random lengths, each a nesting of sequences, padded on the right with noise."""
        sequences = int(self.rng.integers(3, 7))
        extents = {"N": sequences, "C": self.channels}
        extents |= {time: int(self.rng.integers(1, longest + 1)) for time in range(self.depth)}
        if longest > 5:
            extents |= {time: longest - time for time in range(self.depth)}
        values = self.rng.normal(0, 1, [extents[axis] for axis in x.axes])
        shift = self.rng.normal(0, 0.5, [extents[axis] if axis in ("N", "C") else 1 for axis in x.axes])
        inputs = {"x": (values + shift).astype(numpy.float32)}
        if mask:
            valid = self.valid([extents[time] for time in range(self.depth)], sequences)
            order = [("N", *range(self.depth)).index(axis) for axis in mask.axes]
            inputs["mask"] = numpy.ascontiguousarray(valid.transpose(order))
        if self.has_gate:
            # both branches are taken, by the first and the second batch
            self.gates = [*self.gates, [1, -1, 1][len(self.gates) % 3]]
            inputs["gate"] = numpy.asarray(self.gates[-1:], numpy.float32)
        return inputs

    def valid(self, extents, sequences):
        """A mask [sequences, *extents]; the first sequence has them in full."""
        mask = numpy.zeros([sequences, *extents], numpy.float32)
        for sequence in range(sequences):
            self.fill(mask[sequence], sequence == 0 and self.kind != "steps")
        return mask

    def fill(self, mask, is_full):
        length = len(mask) if is_full else int(self.rng.integers(1, len(mask) + 1))
        if mask.ndim == 1:
            mask[:length] = 1
        else:
            for row in mask[:length]:
                self.fill(row, is_full)
