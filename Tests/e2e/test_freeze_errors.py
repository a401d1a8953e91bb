"""What freezing refuses, in one line that says where and what to do, and that it then leaves nothing behind."""

import json
import os
import re
import resource
import signal
import subprocess
import time

import numpy
import onnx
import pytest
from onnx import helper

import freezing
from freezing import small_model, write_batches
from seqnorm import BINARY, PATIENCE, run

LABEL = [{"tensor": "mu", "label": "norm.mean", "graph": []}]


def small_batches(count=3, channels=3, seed=0):
    rng = numpy.random.default_rng(seed)
    found = []
    for length in [4, 5, 6][:count]:
        x = rng.normal(size=(2, channels, length)).astype(numpy.float32)
        found.append({"x": x, "mask": numpy.ones((2, 1, length), numpy.float32)})
    return found


def labelled(entries=LABEL, body=None):
    return small_model(body, {"bn_statistics": entries if isinstance(entries, str) else json.dumps(entries)})


def attempt(folder, model, *options, batches=None, data=None, out="out.onnx"):
    """Freezes; the process. Whatever is in the folder afterwards besides what was put there is its doing."""
    (folder / "train.onnx").write_bytes(model.SerializeToString())
    data = data or write_batches(folder / "data.safetensors", small_batches() if batches is None else batches)
    put = set(folder.iterdir())
    done = run("freeze", folder / "train.onnx", "--data", data, "-o", folder / out, *options)
    done.left = sorted(path.name for path in set(folder.iterdir()) - put)
    return done


def refused(done, *words, code=1):
    """Asserts that a command failed with one short message that has all the words, and wrote nothing."""
    text = done.stderr.decode()
    print(text)
    assert done.returncode == code, text
    (line,) = [line for line in text.splitlines() if line.startswith("error: ") or line.startswith("Error: ")]
    for word in words:
        assert re.search(word, text), (word, text)
    assert done.left == []


def test_the_small_model_freezes(tmp_path):
    done = attempt(tmp_path, labelled())
    assert done.returncode == 0, done.stderr
    assert done.left == ["out.onnx"]


def test_no_statistics_says_how_to_label(tmp_path):
    refused(attempt(tmp_path, small_model(lambda parts: parts[:1] + [helper.make_node("Relu", ["masked"], ["y"])])),
            "no batch statistics", "bn_statistic", "--statistic")


def test_a_label_on_a_missing_tensor(tmp_path):
    refused(attempt(tmp_path, labelled([{"tensor": "nu", "label": "norm.mean", "graph": []}])), "nu", "norm.mean")


def test_a_label_in_a_missing_loop(tmp_path):
    refused(attempt(tmp_path, labelled([{"tensor": "mu", "label": "norm.mean", "graph": ["scan"]}])), "scan", "norm.mean")


def test_a_name_that_matches_nothing(tmp_path):
    refused(attempt(tmp_path, labelled(), "--statistic", "nothing.*"), "nothing")


def test_a_label_whose_shape_depends_on_the_batch(tmp_path):
    refused(attempt(tmp_path, labelled([{"tensor": "centered", "label": "norm.mean", "graph": []}])), r"norm\.mean: .*shape.*batch")


def test_the_same_label_twice(tmp_path):
    entries = LABEL + [{"tensor": "sum", "label": "norm.mean", "graph": []}]
    refused(attempt(tmp_path, labelled(entries)), "norm.mean", "mu", "sum")


def test_labels_that_are_no_json(tmp_path):
    refused(attempt(tmp_path, labelled("{")), "bn_statistics")


def test_no_data(tmp_path):
    (tmp_path / "none.jsonl").write_text("")
    refused(attempt(tmp_path, labelled(), data=tmp_path / "none.jsonl"), "none.jsonl")
    done = attempt(tmp_path, labelled(), data=tmp_path / "missing.jsonl")
    refused(done, "missing.jsonl")


def test_data_that_does_not_fit_names_file_and_line(tmp_path):
    rows = [{"id": str(k), "sequence": [[0.5 * k] * 3] * 4} for k in range(5)]
    rows[3]["sequence"][2] = [1.0, 2.0]
    (tmp_path / "data.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    refused(attempt(tmp_path, labelled(), data=tmp_path / "data.jsonl"), "data.jsonl", r"\b4\b")
    (tmp_path / "data.jsonl").write_text('{"sequence": [[1, 2, 3]]}\n{"sequence": [[1, 2\n')
    refused(attempt(tmp_path, labelled(), data=tmp_path / "data.jsonl"), "data.jsonl", r"\b2\b")


def test_a_letter_that_is_none_names_file_and_line(tmp_path):
    (tmp_path / "data.fasta").write_text(">a\nACDEF\n>b\nACXEF\n")
    done = run("freeze", freezing.TRAIN["peptide-bytenet"], "--data", tmp_path / "data.fasta", "-o", tmp_path / "out.onnx")
    assert done.returncode == 1 and b"data.fasta" in done.stderr and re.search(rb"\b[34]\b", done.stderr), done.stderr
    assert not (tmp_path / "out.onnx").exists()


def test_batches_that_do_not_fit_the_inputs(tmp_path):
    refused(attempt(tmp_path, labelled(), batches=small_batches(channels=2)), "x")
    only = [{"x": batch["x"]} for batch in small_batches()]
    refused(attempt(tmp_path, labelled(), batches=only), "mask")
    (tmp_path / "bad.safetensors").write_bytes(b"\xff" * 64)
    refused(attempt(tmp_path, labelled(), data=tmp_path / "bad.safetensors"), "bad.safetensors")


def test_values_that_are_not_finite(tmp_path):
    batches = small_batches()
    batches[1]["x"][0, 0, 0] = numpy.nan
    refused(attempt(tmp_path, labelled(), batches=batches), "norm")


def test_an_unknown_id_among_the_batches(tmp_path):
    (tmp_path / "ids.json").write_text(json.dumps({"batches": [["jv-train-001", "nobody"]]}))
    done = run(
        "freeze", freezing.TRAIN["vowels-cnn"], "--data", freezing.TRAINING_DATA["vowels-cnn"],
        "--batches", tmp_path / "ids.json", "-o", tmp_path / "out.onnx")
    assert done.returncode == 1 and b"nobody" in done.stderr
    assert not (tmp_path / "out.onnx").exists()


def test_pooled_needs_counts(tmp_path):
    def averaged(parts):
        return [*parts[:3], helper.make_node("Mul", ["sum", "quarter"], ["mu"]), *parts[4:]]

    model = labelled(body=averaged)
    model.graph.initializer.append(helper.make_tensor("quarter", onnx.TensorProto.FLOAT, [], [0.25]))
    refused(attempt(tmp_path, model, "--estimator", "pooled"), "norm", "count")
    assert attempt(tmp_path, model).returncode == 0


def test_a_training_mode_normalization_without_a_mask_says_what_to_do(tmp_path):
    def training(parts):
        return [helper.make_node(
            "BatchNormalization", ["x", "one", "zero", "zero", "one"], ["y", "a", "b"], name="norm", training_mode=1)]

    model = small_model(training)
    del model.graph.input[1]
    for name, value in (("one", 1.0), ("zero", 0.0)):
        model.graph.initializer.append(helper.make_tensor(name, onnx.TensorProto.FLOAT, [3], [value] * 3))
    batches = [{"x": batch["x"]} for batch in small_batches()]
    refused(attempt(tmp_path, model, batches=batches), "--padding include")
    assert attempt(tmp_path, model, "--padding", "include", batches=batches).returncode == 0


def test_a_loop_that_is_never_entered(tmp_path):
    batches = [{"x": batch["x"][:, :, :0], "mask": batch["mask"][:, :, :0]} for batch in small_batches()]
    refused(attempt(tmp_path, scanning(), batches=batches), "norm")


def scanning():
    """The mean over the batch at every step of a Scan over time."""
    make, value = helper.make_node, helper.make_tensor_value_info
    body = helper.make_graph(
        [make("ReduceMean", ["step"], ["mu"], axes=[0], keepdims=1), make("Sub", ["step", "mu"], ["each"])],
        "body", [value("step", 1, None)], [value("each", 1, ["batch", 3])])
    model = labelled([{"tensor": "mu", "label": "norm.mean", "graph": ["scan"]}])
    del model.graph.node[:]
    model.graph.node.append(make(
        "Scan", ["x"], ["y"], "scan", body=body, num_scan_inputs=1, scan_input_axes=[2], scan_output_axes=[2]))
    return model


def test_batches_that_never_enter_the_loop_say_nothing(tmp_path):
    full = small_batches()
    empty = {"x": full[0]["x"][:, :, :0], "mask": full[0]["mask"][:, :, :0]}
    options = ["--estimator", "mean-of-batches", "--json"]
    one, other = tmp_path / "one", tmp_path / "other"
    for folder, batches in ((one, full), (other, [full[0], empty, *full[1:]])):
        folder.mkdir()
        done = attempt(folder, scanning(), *options, folder / "report.json", batches=batches)
        assert done.returncode == 0, done.stderr
    keys = ("mean", "coverage")
    a, b = (json.loads((folder / "report.json").read_text())["statistics"][0] for folder in (one, other))
    assert [a[key] for key in keys] == [b[key] for key in keys]


def test_an_output_folder_that_is_missing(tmp_path):
    done = attempt(tmp_path, labelled(), out="missing/out.onnx")
    refused(done, "missing")


def test_a_disk_that_is_full(tmp_path):
    """A limit on the size of files stands for the disk: the write fails in the same place."""
    (tmp_path / "train.onnx").write_bytes(freezing.TRAIN["vowels-cnn"].read_bytes())
    before = set(tmp_path.iterdir())
    done = subprocess.run(
        [BINARY, "freeze", tmp_path / "train.onnx", "--data", freezing.TRAINING_DATA["vowels-cnn"], "-o", tmp_path / "out.onnx"],
        capture_output=True, timeout=PATIENCE, preexec_fn=lambda: (
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN), resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))))
    assert done.returncode == 1 and b"out.onnx" in done.stderr, done.stderr
    assert set(tmp_path.iterdir()) == before


def test_an_output_that_is_no_file_is_left_alone(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    refused(attempt(tmp_path, labelled(), "--json", tmp_path / "pipe"), "pipe")
    refused(attempt(tmp_path, labelled(), out="pipe"), "pipe")
    assert (tmp_path / "pipe").is_fifo()


@pytest.mark.parametrize("arguments", [
    [], ["--estimator", "median"], ["--tail", "cut"], ["--batch-size", "0"], ["--max-batches", "0"], ["--nonsense"]])
def test_wrong_usage_is_2(arguments, tmp_path):
    given = ["--data", freezing.TRAINING_DATA["vowels-cnn"], "-o", tmp_path / "out.onnx"] if arguments else []
    assert run("freeze", freezing.TRAIN["vowels-cnn"], *given, *arguments).returncode == 2
    assert not (tmp_path / "out.onnx").exists()


def many(path, count):
    """Many short sequences."""
    row = json.dumps({"sequence": [[0.1 * k for k in range(12)]] * 7})
    path.write_text((row + "\n") * count)
    return path


def resident(process):
    """The resident memory of a process in MB; 0 once it has ended."""
    try:
        with open(f"/proc/{process.pid}/status") as status:
            found = re.search(r"VmRSS:\s+(\d+) kB", status.read())
    except FileNotFoundError:
        found = None
    return int(found[1]) / 1024 if found else 0.0


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupt_leaves_nothing(number, code, tmp_path):
    data = many(tmp_path / "data.jsonl", 200_000)
    before = set(tmp_path.iterdir())
    process = subprocess.Popen(
        [BINARY, "freeze", freezing.TRAIN["vowels-cnn"], "--data", data, "--batch-size", "1", "-o", tmp_path / "out.onnx",
         "--json", tmp_path / "report.json"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    # it has begun as soon as it says what it found
    assert process.stdout.readline()
    process.send_signal(number)
    process.stdout.read()
    assert process.wait(PATIENCE) == code
    assert set(tmp_path.iterdir()) == before


def test_memory_does_not_grow_with_the_number_of_batches(tmp_path):
    data = many(tmp_path / "data.jsonl", 10_000)
    process = subprocess.Popen(
        [BINARY, "freeze", freezing.TRAIN["vowels-cnn"], "--data", data, "--batch-size", "1", "-o", tmp_path / "out.onnx"],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    seen, printed, started = [], b"", time.monotonic()
    os.set_blocking(process.stdout.fileno(), False)
    while process.poll() is None:
        seen.append(resident(process))
        printed += process.stdout.read() or b""
        time.sleep(0.02)
    printed += process.stdout.read() or b""
    seen = [size for size in seen if size]
    quarter = len(seen) // 4
    print(f"resident: {seen[quarter]:.0f} MB after a quarter, {max(seen):.0f} MB at most, {time.monotonic() - started:.1f} s")
    assert process.returncode == 0
    assert re.search(rb"resident memory .* at the start, .* at the end", printed)
    assert max(seen[quarter:]) - seen[quarter] < 16
