"""Batch normalizations as people write them, each with its statistics labelled in one of the ways there are."""

import dataclasses

from .scope import Value


@dataclasses.dataclass(frozen=True)
class Site:
    """The statistics of one normalization: names of tensors in the graph at `place`, None for what there is not.

    `#mean` and `#variance` after a node's name are those inside of a training-mode BatchNormalization. `values` is what is
    normalized. `count` is the number of valid positions, of a graph at or around `place`, None for all positions;
    `is_counted` says whether the program must find it out. `node` makes the mean, or the variance where there is no mean.
    """

    stem: str
    way: str
    place: tuple
    values: str
    node: str
    mean: str | None = None
    variance: str | None = None
    count: str | None = None
    is_counted: bool = False

    @property
    def depth(self):
        """How many loops are around it."""
        return sum(attribute == "body" for _, attribute in self.place)

    @property
    def tensors(self):
        return {part: name for part in ("mean", "variance") if (name := getattr(self, part))}


class Normalizer:
    """Adds normalizations to graphs and keeps the list of their sites."""

    WAYS = ("node", "model", "option", "pattern", "training")

    def __init__(self, rng, ways):
        self.rng, self.ways = rng, ways
        self.sites, self.entries, self.options, self.features = [], [], [], set()
        self.ranks, self.sequences = {}, None

    def __call__(self, scope, z, mask, channels):
        """`z` normalized over all axes but the channels; `mask` has the axes of `z` but the channels, or is None.

        Also the name of a labelled statistic of shape [channels], or None.
        """
        way = self.ways[self.rng.integers(len(self.ways))]
        if way == "pattern" and mask is None:
            way = "node"
        stem = f"norm{len(self.sites)}"
        if way == "training":
            return self.training(scope, z, stem, channels), None
        kind = "pair" if way == "pattern" else scope.choose("pair", "pair", "pair", "counted", "center", "rms", "spread")
        if kind == "counted" and way == "option":
            kind = "pair"
        self.features |= {way, kind}
        if way == "pattern":
            # as exporters write it, the batch first
            arranged = scope.arrange(z, ("N", *z.without("N")))
            y, mean = self.written(scope, arranged, mask, channels, stem, way, kind)
            return scope.arrange(y, z.axes), mean
        return self.written(scope, z, mask, channels, stem, way, kind)

    def training(self, scope, z, stem, channels):
        """A BatchNormalization in training mode."""
        self.features.add("training")
        axes = ("N", "C", *(axis for axis in z.axes if axis not in ("N", "C")))
        arranged = scope.arrange(z, axes)
        parameters = [scope.weights(channels) for _ in range(2)]
        running = [scope.constant([start] * channels) for start in (0, 1)]
        outputs = [scope.fresh("normalized"), scope.fresh("running"), scope.fresh("running")]
        scope.op("BatchNormalization", arranged.name, *parameters, *running, outputs=outputs, epsilon=0.05, training_mode=1)
        node = scope.nodes[-1].name
        self.sites.append(Site(
            stem, "training", scope.place, arranged.name, node, node + "#mean", node + "#variance", is_counted=True))
        return scope.arrange(Value(outputs[0], axes), z.axes)

    def written(self, scope, z, mask, channels, stem, way, kind):
        """A normalization in plain operators."""
        axes = [index for index, axis in enumerate(z.axes) if axis != "C"]
        keepdims = int(z.axes[-1] != "C" or scope.chance(0.3))
        m = mask and scope.unsqueeze(scope.arrange(mask, z.without("C")).name, z.index("C"))
        count, divisor = self.positions(scope, z, mask)

        def average(x, part=None):
            """The labelled mean of x over all positions."""
            label = f"{stem}.{part}"
            if divisor is None:
                return self.labelled(scope, "ReduceMean", [x], label, way, axes=axes, keepdims=keepdims)
            total = scope.reduce("ReduceSum", x, axes, keepdims)
            return self.labelled(scope, "Div", [total, divisor], label, way)

        def masked(x):
            return scope.op("Mul", *scope.choose((x, m), (m, x))) if m else x

        def squared(x):
            return scope.op("Mul", x, x) if scope.chance(0.5) else scope.op("Pow", x, scope.constant(2.0))

        names = {}
        if kind != "rms":
            names["mean"] = average(masked(z.name), "mean")
            self.ranks[names["mean"]] = len(z.axes) if keepdims else 1
            deviation = scope.op("Sub", z.name, names["mean"])
            masked_square = (lambda: squared(masked(deviation))) if scope.chance(0.5) else (lambda: masked(squared(deviation)))
        else:
            deviation = z.name
            masked_square = lambda: masked(squared(deviation))
        if kind in ("pair", "counted", "rms"):
            names["variance"] = average(masked_square(), scope.choose("var", "variance"))
            y = scope.op("Div", deviation, self.root(scope, names["variance"], way))
        elif kind == "spread":
            # a statistic of its own, made of another one
            lone = average(masked(scope.op("Abs", deviation)), "spread")
            y = scope.op("Div", deviation, scope.op("Add", lone, scope.constant(0.1)))
        else:
            y = deviation
        if kind == "counted":
            if count is None or count == self.sequences:
                kind = "pair"
            else:
                self.label(scope, count, f"{stem}.count", way)
        makers = {output: node.name for node in scope.nodes for output in node.output}
        self.sites.append(Site(
            stem, way, scope.place, z.name, makers[names.get("mean", names.get("variance"))], names.get("mean"),
            names.get("variance"), count, is_counted=count is not None and kind in ("pair", "counted") and z.axes[0] != "C"))
        if kind == "spread":
            self.sites.append(Site(f"{stem}.spread", way, scope.place, z.name, makers[lone], lone))
        shape = [channels if axis == "C" else 1 for axis in z.axes]
        shape = shape[z.index("C"):]
        y = scope.op("Mul", y, scope.constant(self.rng.normal(1, 0.3, shape)))
        y = scope.op("Add", y, scope.constant(self.rng.normal(0, 0.3, shape)))
        return Value(y, z.axes), names.get("mean")

    def root(self, scope, variance, way):
        """The square root of a variance, kept off zero."""
        epsilon = scope.constant(scope.choose(0.05, 0.1))
        shifted = scope.op("Add", variance, epsilon)
        if way != "pattern" and scope.chance(0.2):
            return scope.op("Pow", shifted, scope.constant(0.5))
        return scope.op("Sqrt", shifted)

    def positions(self, scope, z, mask):
        """The number of positions and what to divide by; None for a ReduceMean."""
        if mask is None:
            if len(z.axes) > 2 or scope.chance(0.4):
                self.features.add("ReduceMean")
                return None, None
            # the number of sequences: of a graph around this one, or counted here
            if self.sequences and scope.chance(0.5):
                self.features.add("count from outside")
                return self.sequences, self.sequences
            count = scope.op("Cast", scope.size(z, "N"), to=1)
            return count, count
        count = scope.reduce("ReduceSum", mask.name, scope.choose(None, range(len(mask.axes))), 0)
        if scope.chance(0.5):
            return count, scope.op("Max", count, scope.constant(1.0))
        return count, scope.op("Clip", count, scope.constant(1.0)) if scope.opset >= 11 else scope.op("Clip", count, min=1.0)

    def labelled(self, scope, kind, inputs, label, way, axes=None, keepdims=None):
        """Adds the node that makes a statistic, and labels what it makes."""
        name = label if way == "option" else scope.fresh(label.rsplit(".", 1)[1])
        if axes is None:
            scope.op(kind, *inputs, outputs=[name])
        else:
            made = scope.reduce(kind, *inputs, axes, keepdims)
            assert scope.nodes[-1].output[0] == made
            scope.nodes[-1].output[0] = name
        self.label(scope, name, label, way)
        return name

    def label(self, scope, name, label, way):
        """Labels a tensor of the graph."""
        if way == "node":
            (node,) = [node for node in scope.nodes if name in node.output]
            node.metadata_props.add(key="bn_statistic", value=label)
        elif way == "model":
            loops = [node for node, attribute in scope.place if attribute == "body"]
            self.entries.append({"tensor": name, "label": label, "graph": loops})
        elif way == "option":
            self.options.append(name)
