"""Freezing random training graphs, against the interpreter: statistics, the frozen file, and what it leaves alone."""

import functools
import itertools

import numpy
import onnx
import pytest

import freezing
from graphs.population import frozen as frozen_outputs
from graphs.population import observe, population
from graphs.untouched import differences
from test_graphs import SEEDS, cached, distance, runs

SETTINGS = {"default": [], "mean-of-batches": ["--estimator", "mean-of-batches"], "hold": ["--tail", "hold"]}
ORIGINS = {
    "node": "node_label", "model": "model_label", "option": "command_line", "pattern": "pattern", "training": "training_mode"}


@functools.cache
def observations(seed):
    """What each batch says of each site."""
    case = cached(seed)
    seen = [observe(case.model, case.sites, batch)[1] for batch in case.batches]
    return [[batch[index] for batch in seen] for index in range(len(case.sites))]


def selection(case):
    """The options that name statistics: each by its name, or all by an expression."""
    if not case.options:
        return []
    names = [r"norm\d+\.(mean|var|variance|spread)"] if case.seed % 2 else case.options
    return [part for name in names for part in ("--statistic", name)]


def freeze(case, *options, out, model=None):
    out.mkdir(exist_ok=True)
    model = model or case.model
    (out / "train.onnx").write_bytes(model.SerializeToString())
    data = freezing.write_batches(out / "data.safetensors", case.batches)
    padding = ["--padding", "include"] if "training" in case.features else []
    return freezing.freeze(out / "train.onnx", *selection(case), *padding, *options, data=data, out=out)


def path_of(site):
    return "/".join([*itertools.chain(*site.place), site.node])


def entries(case, frozen):
    """The report's entry of each site."""
    found = {entry["path"]: entry for entry in frozen.report["statistics"]}
    assert sorted(found) == sorted({path_of(site) for site in case.sites})
    return [found[path_of(site)] for site in case.sites]


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("seed", SEEDS)
def test_statistics_are_those_of_the_interpreter(seed, setting, tmp_path):
    case = cached(seed)
    frozen = freeze(case, *SETTINGS[setting], out=tmp_path)
    for site, entry, seen in zip(case.sites, entries(case, frozen), observations(seed), strict=True):
        where = f"{site.stem} at {path_of(site)}"
        assert entry["depth"] == site.depth, where
        assert site.way in ("pattern", "training") or entry["label"].endswith(site.stem), where
        assert entry["estimator"] == "mean-of-batches" if setting == "mean-of-batches" else not site.is_counted or (
            entry["estimator"] == "pooled"), where
        expected = population(seen, entry["estimator"], "hold" if setting == "hold" else "repeat")
        assert numpy.array_equal(shortened(entry, "coverage", expected.steps), expected.coverage), where
        if entry.get("positions") is not None:
            assert numpy.array_equal(shortened(entry, "positions", expected.steps), expected.positions), where
        for part in ("mean", "variance"):
            values, table = getattr(expected, part), frozen.table(entry, part)
            assert (values is None) == (table is None), where
            if values is not None:
                assert numpy.isfinite(table).all(), where
                table = table[tuple(map(slice, expected.steps))]
                values = values.reshape(table.shape)
                known = numpy.isfinite(values)
                assert distance(table[known], values[known]) < 1e-5, f"{where}: {part}"


def shortened(entry, name, steps):
    """Numbers of each step; where no batch took a branch of If there may be more steps, which nothing reached."""
    reported = numpy.reshape(entry[name], (entry.get("mean") or entry["variance"])["steps"])
    assert numpy.sum(reported) == numpy.sum(reported[tuple(map(slice, steps))])
    return reported[tuple(map(slice, steps))]


def tables(case, frozen):
    return [{part: frozen.table(entry, part) for part in ("mean", "variance")} for entry in entries(case, frozen)]


@pytest.fixture(scope="module")
def frozen_once(tmp_path_factory):
    """Each case frozen without options; made when first asked for."""
    made = {}

    def get(seed):
        if seed not in made:
            made[seed] = freeze(cached(seed), out=tmp_path_factory.mktemp(f"seed{seed}"))
        return made[seed]

    return get


@pytest.mark.parametrize("seed", SEEDS)
def test_the_frozen_file_is_the_training_graph_with_the_statistics_put_in(seed, frozen_once):
    case, frozen = cached(seed), frozen_once(seed)
    model, given = frozen.model, tables(case, frozen)
    onnx.checker.check_model(model, full_check=True)
    assert freezing.labels_left(model) == []
    assert freezing.opset(model) == freezing.opset(case.model)
    batches = [*case.batches, case.longer]
    for batch, got in zip(batches, runs(model, batches)):
        expected = frozen_outputs(case.model, case.sites, given, batch)
        assert got.keys() == expected.keys()
        for name, value in got.items():
            assert distance(value, expected[name]) < 5e-5, name


def tells_of_others(features):
    """Whether a graph says by itself how many sequences go on, or, by numbers counted from its end, how long the longest is."""
    return "loop in a branch" in features or {"steps of its own", "both directions"} <= features


@pytest.mark.parametrize("seed", [seed for seed in SEEDS if not tells_of_others(cached(seed).features)])
def test_in_the_frozen_file_no_sequence_sees_another(seed, frozen_once):
    case, frozen = cached(seed), frozen_once(seed)
    batch = case.batches[0]
    axis = {each.name: [axis.dim_param for axis in each.type.tensor_type.shape.dim].index("batch")
            for each in case.model.graph.input if each.name != "gate"}
    alone = [
        {name: numpy.take(value, [sequence], axis[name]) if name in axis else value for name, value in batch.items()}
        for sequence in range(batch["x"].shape[axis["x"]])]
    together, *singly = (each["predictions"] for each in runs(frozen.model, [batch, *alone]))
    assert distance(numpy.concatenate(singly), together) < 1e-5


@pytest.mark.parametrize("seed", SEEDS)
def test_all_that_no_statistic_needed_is_untouched(seed, frozen_once):
    case, frozen = cached(seed), frozen_once(seed)
    cuts = {}
    for site in case.sites:
        cuts.setdefault(site.place, set()).update(name for name in site.tensors.values() if "#" not in name)
    assert differences(case.model.graph, frozen.model.graph, cuts) == []


@pytest.mark.parametrize("seed", SEEDS[::6])
def test_a_frozen_file_frozen_again_has_nothing_to_freeze(seed, frozen_once, tmp_path):
    frozen = frozen_once(seed)
    again = freezing.freeze(frozen.path, data=frozen.path.with_name("data.safetensors"), out=tmp_path, check=False)
    assert again.returncode == 1 and b"no batch statistics" in again.stderr
    assert list(tmp_path.iterdir()) == []
