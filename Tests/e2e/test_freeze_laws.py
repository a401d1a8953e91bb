"""Laws of freezing: training graphs that are written differently and mean the same have the same statistics."""

import json

import numpy
import onnx
import pytest
from onnx import helper

import freezing
from graphs.scope import Scope, declared, model
from test_graphs import distance, runs

CHANNELS, SIZE, STEPS = 3, 4, 5


def weights(*shape, seed=0):
    return numpy.random.default_rng([7, seed]).normal(0, 0.6, shape).astype(numpy.float32)


def batches(count=4, full=False):
    """Sequences `x` [N, L, C] with their `mask` [N, 1, L]; of one length if `full`."""
    rng = numpy.random.default_rng(5)
    found = []
    for _ in range(count):
        lengths = numpy.full(4, STEPS) if full else rng.integers(1, STEPS + 1, 4)
        mask = (numpy.arange(lengths.max()) < lengths[:, None]).astype(numpy.float32)
        x = rng.normal(0.5, 1, (*mask.shape, CHANNELS)).astype(numpy.float32)
        found.append({"x": x * mask[:, :, None], "mask": mask[:, None]})
    return found


def training(scope, z, mask):
    """A BatchNormalization in training mode."""
    parameters = [scope.constant(value) for value in (weights(SIZE, seed=3), weights(SIZE, seed=4), [0.0] * SIZE, [1.0] * SIZE)]
    outputs = [scope.fresh(stem) for stem in ("normalized", "mean", "variance")]
    return scope.op("BatchNormalization", z, *parameters, outputs=outputs, training_mode=1)[0]


def written(scope, z, mask, label="norm"):
    """The same over the sequences alive, in plain operators with labels."""
    def average(x, part):
        total = scope.reduce("ReduceSum", scope.op("Mul", x, mask), [0], 0)
        return scope.op("Div", total, count, metadata={"bn_statistic": f"{label}.{part}"})

    count = scope.op("Max", scope.reduce("ReduceSum", mask, None, 0), scope.constant(1.0))
    deviation = scope.op("Sub", z, average(z, "mean"))
    variance = average(scope.op("Mul", deviation, deviation), "var")
    y = scope.op("Div", deviation, scope.op("Sqrt", scope.op("Add", variance, scope.constant(1e-5))))
    return scope.op("Add", scope.op("Mul", y, scope.constant(weights(SIZE, seed=3))), scope.constant(weights(SIZE, seed=4)))


def step(scope, h, x, mask, normalize):
    """h after a step at which the sequences of `mask` [N, 1] are alive."""
    z = scope.op("Add", scope.op("MatMul", x, scope.constant(weights(CHANNELS, SIZE, seed=1))),
                 scope.op("MatMul", h, scope.constant(weights(SIZE, SIZE, seed=2))))
    new = scope.op("Tanh", normalize(scope, z, mask))
    rest = scope.op("Sub", scope.constant(1.0), mask)
    return scope.op("Add", scope.op("Mul", new, mask), scope.op("Mul", rest, h))


def start():
    root = Scope(numpy.random.default_rng(1), 17)
    sequences = root.op("Slice", root.op("Shape", "x"), root.integers(0), root.integers(1))
    shape = root.op("Concat", sequences, root.integers(SIZE), axis=0)
    return root, root.op("ConstantOfShape", shape)


def finish(root, h, masked=True):
    root.op("Identity", h, outputs=["predictions"])
    inputs = [declared("x", shape=["batch", "time", CHANNELS]), declared("mask", shape=["batch", 1, "time"])]
    return model(
        root.graph("law", inputs if masked else inputs[:1], [declared("predictions", shape=["batch", SIZE])]), root.opset, {})


def recurrent(normalize):
    """The steps in a Scan."""
    root, h = start()
    body = root.inside("scan", "body")
    after = step(body, "h", "x_t", "mask_t", normalize)
    graph = body.graph("body", [declared("h"), declared("x_t"), declared("mask_t")], [declared(after, shape=[None, SIZE])])
    root.nodes.append(helper.make_node(
        "Scan", [h, "x", "mask"], ["last"], "scan", body=graph, num_scan_inputs=2, scan_input_axes=[1, 2]))
    return finish(root, "last")


def unmasked():
    """The steps in a Scan that goes on behind the end of a sequence."""
    root, h = start()
    body = root.inside("scan", "body")
    after = step(body, "h", "x_t", body.constant(1.0), training)
    graph = body.graph("body", [declared("h"), declared("x_t")], [declared(after, shape=[None, SIZE])])
    root.nodes.append(helper.make_node("Scan", [h, "x"], ["last"], "scan", body=graph, num_scan_inputs=1, scan_input_axes=[1]))
    return finish(root, "last", masked=False)


def unrolled():
    """STEPS steps, one after the other."""
    root, h = start()
    for t in range(STEPS):
        index = root.constant(t, numpy.int64)
        x, mask = root.op("Gather", "x", index, axis=1), root.op("Gather", "mask", index, axis=2)
        h = step(root, h, x, mask, lambda scope, z, mask: written(scope, z, mask, f"norm.{t}"))
    return finish(root, h)


def frozen(made, folder, data, *options):
    folder.mkdir()
    (folder / "train.onnx").write_bytes(made.SerializeToString())
    return freezing.freeze(
        folder / "train.onnx", *options, data=freezing.write_batches(folder / "data.safetensors", data), out=folder)


def statistics(made):
    """Means and variances of the sites in order, each [steps, channels]."""
    return [
        (made.table(entry, "mean"), made.table(entry, "variance")) for entry in made.report["statistics"]]


@pytest.mark.parametrize("estimator", ["pooled", "mean-of-batches"])
def test_a_scan_equals_its_unrolled_graph(estimator, tmp_path):
    data = batches(full=True)
    scan = frozen(recurrent(written), tmp_path / "scan", data, "--estimator", estimator)
    steps = frozen(unrolled(), tmp_path / "steps", data, "--estimator", estimator)
    ((mean, variance),), each = statistics(scan), statistics(steps)
    assert len(each) == STEPS
    assert distance(mean, [m for m, _ in each]) < 1e-6 and distance(variance, [v for _, v in each]) < 1e-6
    for a, b in zip(runs(scan.model, data), runs(steps.model, data)):
        assert distance(a["predictions"], b["predictions"]) < 1e-5


@pytest.mark.parametrize("estimator", ["pooled", "mean-of-batches"])
def test_a_training_mode_normalization_sees_the_valid_positions_of_its_step(estimator, tmp_path):
    data = batches()
    node = frozen(recurrent(training), tmp_path / "node", data, "--estimator", estimator)
    plain = frozen(recurrent(written), tmp_path / "plain", data, "--estimator", estimator)
    ((mean, variance),), ((expected_mean, expected_variance),) = statistics(node), statistics(plain)
    assert distance(mean, expected_mean) < 1e-5 and distance(variance, expected_variance) < 1e-5
    onnx.checker.check_model(node.model, full_check=True)
    for a, b in zip(runs(node.model, data), runs(plain.model, data)):
        assert distance(a["predictions"], b["predictions"]) < 1e-4


@pytest.mark.parametrize("estimator", ["pooled", "mean-of-batches"])
def test_a_graph_without_a_mask_has_the_statistics_of_the_one_that_has_it(estimator, tmp_path):
    rng = numpy.random.default_rng(9)
    lines = [json.dumps(rng.normal(0.5, 1, (length, CHANNELS)).tolist()) for length in rng.integers(1, STEPS + 1, 24)]
    (tmp_path / "data.jsonl").write_text("\n".join(lines))
    found = []
    for name, made in ("with", recurrent(training)), ("without", unmasked()):
        (tmp_path / f"{name}.onnx").write_bytes(made.SerializeToString())
        found.append(freezing.freeze(
            tmp_path / f"{name}.onnx", "--padding", "exclude", "--batch-size", "6", "--estimator", estimator,
            data=tmp_path / "data.jsonl", out=tmp_path / name))
    ((mean, variance),), ((expected_mean, expected_variance),) = statistics(found[1]), statistics(found[0])
    assert distance(mean, expected_mean) < 1e-6 and distance(variance, expected_variance) < 1e-6
    onnx.checker.check_model(found[1].model, full_check=True)
    # While all sequences are alive, the frozen graphs do the same.
    data = [{name: value[:, :1] if name == "x" else value[:, :, :1] for name, value in batch.items()} for batch in batches()]
    for a, b in zip(runs(found[0].model, data), runs(found[1].model, [{"x": batch["x"]} for batch in data])):
        assert distance(a["predictions"], b["predictions"]) < 1e-6


def test_a_mask_of_ones_gives_plain_batch_normalization(tmp_path):
    data = batches(full=True)
    exclude = frozen(recurrent(training), tmp_path / "exclude", data, "--padding", "exclude")
    include = frozen(recurrent(training), tmp_path / "include", data, "--padding", "include")
    for got, expected in zip(statistics(exclude), statistics(include), strict=True):
        assert distance(got[0], expected[0]) < 1e-6 and distance(got[1], expected[1]) < 1e-6


def test_the_order_of_batches_does_not_change_a_bit(tmp_path):
    data = batches(6)
    once = frozen(recurrent(written), tmp_path / "once", data)
    other = frozen(recurrent(written), tmp_path / "other", data[::-1])
    for name, value in once.statistics.items():
        assert other.statistics[name].tobytes() == value.tobytes()


def test_the_gist_estimator_is_the_variance_of_the_original_module(tmp_path):
    """Its squares are of `mask * x - mean`: every padded position adds the square of the mean."""
    data = batches()
    made = frozen(recurrent(training), tmp_path / "gist", data[:1], "--estimator", "gist")
    plain = frozen(recurrent(training), tmp_path / "plain", data[:1], "--estimator", "mean-of-batches")
    ((mean, variance),), ((same, expected),) = statistics(made), statistics(plain)
    alive = data[0]["mask"].sum((0, 1))
    padded = len(data[0]["x"]) - alive
    assert (mean == same).all()
    assert distance(variance, expected + (padded / alive)[:, None] * mean**2) < 1e-5
