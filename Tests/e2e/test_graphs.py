"""The interpreter that says what freezing must give, against onnxruntime and the reference: a test of the tests."""

import collections
import functools
import json

import numpy
import onnx
import onnxruntime
import pytest
from safetensors.numpy import load_file

import reference
from graphs.generator import FEATURES, generate
from graphs.interpreter import Interpreter
from graphs.normalization import Site
from graphs.population import Observation, frozen, observe, population

# the kinds of KINDS, 10,000 seeds each
SEEDS = [*range(48), *(kind + seed for kind in (10_000, 20_000, 30_000) for seed in range(12))]
cached = functools.cache(generate)


def session(model):
    """The model in onnxruntime, on one thread, nothing optimized."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    data = model if isinstance(model, (bytes, str)) else model.SerializeToString()
    return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])


def runs(model, batches):
    """The outputs by name for each batch, by onnxruntime."""
    running = session(model)
    names = [output.name for output in running.get_outputs()]
    return [dict(zip(names, running.run(None, batch))) for batch in batches]


def distance(got, expected):
    """The largest difference in parts of the scale of what is expected."""
    got, expected = numpy.asarray(got, numpy.float64), numpy.asarray(expected, numpy.float64)
    assert got.shape == expected.shape, (got.shape, expected.shape)
    if not expected.size:
        return 0.0
    scale = max(numpy.abs(expected).max(), 1e-2)
    return float(numpy.nan_to_num(numpy.abs(got - expected), nan=numpy.inf).max() / scale)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_interpreter_agrees_with_onnxruntime(seed):
    case = cached(seed)
    for batch, expected in zip(case.batches, runs(case.model, case.batches)):
        outputs = Interpreter(case.model).run(batch)
        assert outputs.keys() == expected.keys()
        for name, value in outputs.items():
            assert distance(value, expected[name]) < 1e-4, name


def test_the_graphs_show_all_that_freezing_must_work_through():
    counts = collections.Counter(name for seed in SEEDS for name in cached(seed).features)
    print(counts)
    assert set(counts) == FEATURES and min(counts.values()) > 1


def labelled(model):
    """The sites of a reference model, whose metadata name every statistic."""
    properties = {each.key: each.value for each in model.metadata_props}
    entries, stems = json.loads(properties["bn_statistics"]), {}
    for entry in entries:
        stem, _, part = entry["label"].rpartition(".")
        place = tuple((node, "body") for node in entry["graph"])
        stems.setdefault(stem, {"place": place})[{"mean": "mean", "var": "variance"}[part]] = entry["tensor"]
    return [Site(stem, "model", values=names["mean"], node="", **names) for stem, names in stems.items()]


def test_the_population_of_the_nested_scan_is_the_reference():
    expected = load_file(reference.FOLDER / "expected/population/nested-scan.safetensors")
    model = onnx.load(reference.FOLDER / "models/nested-scan/nested-scan.onnx")
    sites = labelled(model)
    count = len({name.split(".")[0] for name in expected if name.startswith("batch")})
    batches = [{name: expected[f"batch{k}.{name}"] for name in ("x", "mask")} for k in range(count)]
    observed = [observe(model, sites, batch) for batch in batches]
    tables = []
    for index, site in enumerate(sites):
        seen = [each[index] for _, each in observed]
        averaged = population(seen, "mean-of-batches", "repeat")
        tables.append({"mean": averaged.mean, "variance": averaged.variance})
        for part, name in (("mean", f"{site.stem}.mean"), ("variance", f"{site.stem}.var")):
            assert distance(getattr(averaged, part), expected[f"population.{name}"]) < 1e-6
            if site.depth:
                assert (averaged.coverage == expected[f"population.{site.stem}.coverage"]).all()
                held = getattr(population(seen, "mean-of-batches", "hold"), part)
                reached = averaged.coverage > 0
                assert distance(held[reached], expected[f"hold.{name}"][reached]) < 1e-6
    for which in ("within", "beyond"):
        batch = {name: expected[f"infer.{which}.{name}"] for name in ("x", "mask")}
        predictions = frozen(model, sites, tables, batch)["predictions"]
        assert distance(predictions, expected[f"infer.{which}.predictions"]) < 1e-6


def test_pooled_statistics_are_those_of_all_positions_together():
    rng = numpy.random.default_rng(1)
    rows = [rng.normal(k, 1 + k, (5, n, 3)) for k, n in enumerate((1, 4, 9))]
    seen = [
        Observation.of_rectangle(x.mean(1), x.var(1), *[numpy.full(5, x.shape[1])] * 2) for x in rows]
    together = numpy.concatenate(rows, 1)
    pooled = population(seen, "pooled", "repeat")
    assert distance(pooled.mean, together.mean(1)) < 1e-12 and distance(pooled.variance, together.var(1)) < 1e-12
    assert (pooled.positions == 14).all() and (pooled.coverage == 3).all()
