"""Freezing the reference models: their statistics, the frozen files, and all ways to the same result."""

import json
import random

import onnx
import pytest

import freezing
import reference
from freezing import freeze, freeze_reference
from seqnorm import run
from test_formats import logits
from test_graphs import distance, runs

ESTIMATES = {"population": ["--estimator", "mean-of-batches"], "pooled": ["--estimator", "pooled"],
             "hold": ["--estimator", "mean-of-batches", "--tail", "hold"]}
SCANS = ("vowels-bnlstm", "nested-scan")
LABELLED = [*reference.DATA, "nested-scan"]
CASES = [(name, which) for name in LABELLED for which in ESTIMATES if which != "hold" or name in SCANS]


@pytest.fixture(scope="module")
def frozen(tmp_path_factory):
    """Each reference model frozen with the mean of batches, as its inference graph was; made when first asked for."""
    made = {}

    def get(name):
        if name not in made:
            made[name] = freeze_reference(name, *ESTIMATES["population"], out=tmp_path_factory.mktemp(name))
        return made[name]

    return get


def difference(frozen, expected, which):
    """The largest difference of the statistics a file has from those expected of a name, in parts of their scale."""
    worst = 0.0
    for key, values in expected.items():
        kind, _, label = key.partition(".")
        if kind != which or label.rpartition(".")[2] not in ("mean", "var"):
            continue
        got = frozen.statistics[label].reshape(values.shape)
        # where nothing was counted the reference says 0, which is nothing to compare with
        stem = label.rpartition(".")[0]
        counted = {"hold": f"population.{stem}.coverage", "pooled": f"pooled.{stem}.count"}.get(which)
        reached = expected[counted] > 0 if counted in expected else Ellipsis
        worst = max(worst, distance(got[reached], values[reached]))
    return worst


@pytest.mark.parametrize(("name", "which"), CASES)
def test_statistics_are_the_reference(name, which, frozen, tmp_path):
    made = frozen(name) if which == "population" else freeze_reference(name, *ESTIMATES[which], out=tmp_path)
    expected = freezing.population_of(name)
    worst = difference(made, expected, which)
    print(f"{name} {which}: {worst:.1e}")
    assert 0 < worst < 1e-5
    for entry in made.report["statistics"]:
        coverage = expected.get(f"population.{entry['label']}.coverage", expected.get("population.coverage"))
        if coverage is not None and entry["depth"]:
            assert entry["coverage"] == coverage.ravel().tolist()


def test_pooled_is_the_default_where_counts_are_known(tmp_path):
    for name in LABELLED:
        made = freeze_reference(name, out=tmp_path / name)
        assert {entry["estimator"] for entry in made.report["statistics"]} == {"pooled"}
        assert difference(made, freezing.population_of(name), "pooled") < 1e-5


def answers(path):
    """The logits of each line that predict wrote."""
    return [logits(json.loads(line)) for line in path.read_text().splitlines()]


def inference_cases(name):
    """Inputs of a frozen model with the outputs they must give."""
    if name == "nested-scan":
        file = freezing.population_of(name)
        for which in ("within", "beyond"):
            yield {k: file[f"infer.{which}.{k}"] for k in ("x", "mask")}, {"predictions": file[f"infer.{which}.predictions"]}
        return
    file = reference.tensors(name)
    inputs = ("tokens", "mask") if "tokens" in file else ("x", "mask")
    yield {k: file[k] for k in inputs}, {k: file[k] for k in ("predictions", "normalized") if k in file}
    if "beyond.x" in file:
        yield {k: file[f"beyond.{k}"] for k in inputs}, {"predictions": file["beyond.predictions"]}


@pytest.mark.parametrize("name", LABELLED)
def test_onnxruntime_runs_the_frozen_file_as_the_reference(name, frozen):
    path = frozen(name).path
    onnx.checker.check_model(str(path), full_check=True)
    cases = list(inference_cases(name))
    ours = runs(str(path), [inputs for inputs, _ in cases])
    theirs = runs(str(reference.FOLDER / f"models/{name}/inference.onnx"), [inputs for inputs, _ in cases])
    for (_, expected), got, other in zip(cases, ours, theirs):
        for key, value in expected.items():
            if key in got:
                assert reference.difference(got[key], value) < 1e-5, key
        for key in got.keys() & other.keys():
            assert reference.difference(got[key], other[key].astype(float)) < 1e-5, key


@pytest.mark.parametrize("name", reference.DATA)
def test_the_frozen_file_is_as_right_as_the_reference_in_our_engine(name, frozen, tmp_path):
    done = run(
        "predict", frozen(name).path, "--input", reference.DATA[name], "--output", tmp_path / "out.jsonl", "--accuracy")
    assert done.returncode == 0, done.stderr
    assert f"accuracy {reference.RIGHT[name]} %" in done.stderr.decode()
    assert reference.difference(answers(tmp_path / "out.jsonl"), reference.tensors(name)["all.predictions"]) < 1e-5


@pytest.mark.parametrize("name", LABELLED)
def test_nothing_of_the_batch_is_left_and_the_file_says_where_it_comes_from(name, frozen):
    model = frozen(name).model
    assert freezing.labels_left(model) == []
    written = freezing.metadata(model)
    kept = {k: v for k, v in freezing.metadata(onnx.load(freezing.TRAIN[name])).items() if k != "bn_statistics"}
    assert kept.items() <= written.items()
    provenance = json.loads(written["seqnorm.freeze"])
    print(provenance)
    assert "mean-of-batches" in written["seqnorm.freeze"] and "seqnorm" in written["seqnorm.freeze"]
    population = json.loads(written["bn_population"])
    initializers = {each.name for graph in graphs(model.graph) for each in graph.initializer}
    assert {entry["initializer"] for entry in population} <= initializers
    assert {entry["label"] for entry in population} == {
        f"{entry['label']}.{part}" for entry in frozen(name).report["statistics"] for part in ("mean", "var")}


def graphs(graph):
    yield graph
    for node in freezing.nodes(graph):
        yield from (each.g for each in node.attribute if each.type == onnx.AttributeProto.GRAPH)


@pytest.mark.parametrize(("padding", "which", "accuracy"), [
    ("include", "padded", "98.65"), ("exclude", "masked", "98.65"), ("observe", "valid", "97.57")])
@pytest.mark.parametrize("estimator", ["mean-of-batches", "pooled"])
def test_training_mode_normalizations_of_pytorch(padding, which, accuracy, estimator, tmp_path):
    made = freeze_reference("vowels-plain-bn", "--padding", padding, "--estimator", estimator, out=tmp_path)
    expected = freezing.population_of("vowels-plain-bn")
    kind = f"{which}.{estimator.replace('-', '_')}"
    worst = 0.0
    for index, entry in enumerate(made.report["statistics"]):
        assert entry["label"] == f"bns.{index}"
        worst = max(worst, distance(made.table(entry, "mean"), expected[f"{kind}.mean.{index}"]))
        worst = max(worst, distance(made.table(entry, "variance"), expected[f"{kind}.var.{index}"]))
    print(f"{kind}: {worst:.1e}")
    assert worst < 1e-5
    onnx.checker.check_model(made.model, full_check=True)
    assert [node.op_type for node in freezing.nodes(made.model.graph)].count("BatchNormalization") == 3
    done = run(
        "predict", made.path, "--input", reference.DATA["vowels-cnn"], "--output", tmp_path / "out.jsonl", "--accuracy")
    assert f"accuracy {accuracy} %" in done.stderr.decode()
    assert reference.difference(answers(tmp_path / "out.jsonl"), expected[f"{kind}.all.predictions"]) < 1e-4


@pytest.mark.parametrize("name", ["vowels-cnn", "vowels-bnlstm"])
@pytest.mark.parametrize("estimator", ["pooled", "mean-of-batches"])
def test_any_split_merged_in_any_order_gives_the_same_bits(name, estimator, tmp_path):
    whole = freeze_reference(name, "--estimator", estimator, out=tmp_path / "whole")
    batches = json.loads(freezing.batches_of(name).read_text())
    for seed in range(3):
        rng = random.Random(seed)
        order = rng.sample(batches["batches"], len(batches["batches"]))
        cuts = sorted(rng.sample(range(1, len(order)), 1 + seed))
        parts = []
        for part, (start, end) in enumerate(zip([0, *cuts], [*cuts, len(order)])):
            ids, partial = tmp_path / f"{seed}.{part}.json", tmp_path / f"{seed}.{part}.partial"
            ids.write_text(json.dumps(batches | {"batches": order[start:end]}))
            done = run(
                "freeze", freezing.TRAIN[name], "--data", freezing.TRAINING_DATA[name], "--batches", ids,
                "--partial", partial, "--estimator", estimator)
            assert done.returncode == 0, done.stderr
            parts.append(partial)
        rng.shuffle(parts)
        merged = freeze(
            freezing.TRAIN[name], "--merge", *parts, "--estimator", estimator, out=tmp_path / f"merged{seed}")
        assert merged.statistics.keys() == whole.statistics.keys()
        for key, value in whole.statistics.items():
            assert merged.statistics[key].tobytes() == value.tobytes(), key
        assert merged.model.graph == whole.model.graph


def test_given_batches_and_shuffled_ones_are_the_same_each_time(tmp_path):
    def once(folder, seed):
        made = freeze(
            freezing.TRAIN["vowels-cnn"], "--batch-size", "30", "--seed", seed, data=freezing.TRAINING_DATA["vowels-cnn"],
            out=tmp_path / folder)
        return made.path.read_bytes(), made

    first, made = once("a", 7)
    again, _ = once("b", 7)
    other, _ = once("c", 8)
    assert first == again and first != other
    expected = freezing.population_of("vowels-cnn")
    assert 1e-5 < difference(made, expected, "pooled") < 0.2


def test_max_batches_stops_early(tmp_path):
    made = freeze(
        freezing.TRAIN["vowels-cnn"], "--batches", freezing.batches_of("vowels-cnn"), "--max-batches", "1",
        data=freezing.TRAINING_DATA["vowels-cnn"], out=tmp_path)
    expected = freezing.population_of("vowels-cnn")
    for label in (key.removeprefix("batches.") for key in expected if key.startswith("batches.block")):
        assert distance(made.statistics[label].ravel(), expected[f"batches.{label}"][0]) < 1e-5


@pytest.mark.parametrize("name", ["vowels-cnn", "vowels-bnlstm"])
def test_recalibration_on_the_same_data_gives_the_statistics_again(name, frozen, tmp_path):
    again = freeze(
        frozen(name).path, "--recalibrate", "--batches", freezing.batches_of(name), *ESTIMATES["population"],
        data=freezing.TRAINING_DATA[name], out=tmp_path)
    entries = again.report["statistics"]
    assert len(entries) == len(frozen(name).report["statistics"]) and all(entry["previous"] for entry in entries)
    old = {entry["label"]: entry for entry in frozen(name).report["statistics"]}
    for entry in entries:
        for part in ("mean", "variance"):
            assert distance(again.table(entry, part), frozen(name).table(old[entry["label"]], part)) < 1e-5
    (inputs, expected), *_ = inference_cases(name)
    (got,) = runs(str(again.path), [inputs])
    assert reference.difference(got["predictions"], expected["predictions"]) < 1e-4


def test_recalibration_on_other_data_replaces_the_constants_and_nothing_else(frozen, tmp_path):
    old = frozen("vowels-cnn")
    new = freeze(old.path, "--recalibrate", data=reference.DATA["vowels-cnn"], out=tmp_path)
    before, after = old.model.graph, new.model.graph
    assert [node.SerializeToString() for node in before.node] == [node.SerializeToString() for node in after.node]
    changed = {a.name for a, b in zip(before.initializer, after.initializer, strict=True) if a != b}
    written = json.loads(freezing.metadata(old.model)["bn_population"])
    assert changed == {entry["initializer"] for entry in written}


def test_dry_run_lists_all_statistics_and_writes_nothing(tmp_path):
    done = run(
        "freeze", freezing.TRAIN["nested-scan"], "--data", freezing.write_nested_batches(tmp_path), "-o", tmp_path / "out.onnx",
        "--dry-run")
    assert done.returncode == 0, done.stderr
    text = (done.stdout + done.stderr).decode()
    for words in ("input.bn", "inner.bn", "outer.bn", "head.bn", "outer_scan", "inner_scan"):
        assert words in text
    assert not (tmp_path / "out.onnx").exists()


def test_the_report_stands_alone(tmp_path):
    freeze_reference("vowels-bnlstm", "--report", tmp_path / "report.html", out=tmp_path)
    page = (tmp_path / "report.html").read_text()
    assert page.lower().startswith("<!doctype html>") and "lstm.bn_x" in page and "<svg" in page
    assert "http://" not in page.replace("http://www.w3.org", "") and "<script src" not in page and "<link" not in page
