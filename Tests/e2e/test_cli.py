"""The commands other than serve, and the options."""

import json
import re
import subprocess

import numpy
import onnx
import pytest

import reference
from seqnorm import BINARY, MODELS, ROOT, run
from test_formats import logits


@pytest.mark.parametrize("model", reference.DATA)
def test_predict_is_as_right_as_the_reference_over_the_whole_test_set(model, tmp_path):
    done = run("predict", MODELS / model, "--input", reference.DATA[model], "--output", tmp_path / "out.jsonl")
    assert done.returncode == 0, done.stderr
    answers = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    rows = reference.rows(model)
    assert [answer["id"] for answer in answers] == [row["id"] for row in rows]
    offset = 0 if model == "peptide-bytenet" else 1
    right = 0
    for row, answer in zip(rows, answers, strict=True):
        values = logits(answer)
        right += values.index(max(values)) + offset == int(row["label"])
    accuracy = round(100 * right / len(rows), 2)
    print(f"{model}: {accuracy} % of {len(rows)}")
    assert accuracy == reference.RIGHT[model]


def test_predict_reads_standard_input_and_fasta(tmp_path):
    one = "GLFDIVKKVVGALGSL"
    plain = run("predict", MODELS / "peptide-bytenet", stdin=json.dumps(one).encode() + b"\n")
    assert plain.returncode == 0, plain.stderr
    (tmp_path / "one.fasta").write_text(f">first\n{one}\n")
    fasta = run("predict", MODELS / "peptide-bytenet", "--input", tmp_path / "one.fasta")
    assert fasta.returncode == 0, fasta.stderr
    assert logits(json.loads(plain.stdout)) == logits(json.loads(fasta.stdout))


def test_predict_stops_at_a_bad_line_or_skips_it_and_names_it(tmp_path):
    lines = ['"ACD"', '"ACZ"', "{", '"GLF"']
    (tmp_path / "in.jsonl").write_text("\n".join(lines) + "\n")
    stop = run("predict", MODELS / "peptide-bytenet", "--input", tmp_path / "in.jsonl")
    assert stop.returncode == 1 and b"2" in stop.stderr
    skip = run("predict", MODELS / "peptide-bytenet", "--input", tmp_path / "in.jsonl", "--on-error", "skip")
    assert len(skip.stdout.splitlines()) == 2
    assert b"2" in skip.stderr and b"3" in skip.stderr


@pytest.mark.parametrize("model", reference.DATA)
def test_inspect_prints_what_a_model_is(model):
    text = run("inspect", MODELS / model)
    assert text.returncode == 0 and b"mask" in text.stdout
    found = run("inspect", MODELS / model, "--json")
    assert found.returncode == 0
    json.loads(found.stdout)


def test_health_tells_by_its_exit_code(server):
    assert run("health", f"http://127.0.0.1:{server.port}").returncode == 0
    assert run("health", "http://127.0.0.1:1").returncode == 1
    assert run("health", "nonsense").returncode == 2


def test_wrong_usage_is_2_and_failure_is_1(tmp_path):
    assert run("serve").returncode == 2
    assert run("nonsense").returncode == 2
    assert run("serve", "--port", "x", MODELS).returncode == 2
    assert run("serve", "--port", "70000", MODELS).returncode == 2
    assert run("serve", MODELS, environment={"SEQNORM_PORT": "x"}).returncode == 2
    missing = run("serve", "--port", "0", tmp_path / "nothing")
    assert missing.returncode == 1 and b"nothing" in missing.stderr
    assert run("inspect", tmp_path / "nothing.onnx").returncode == 1


def test_environment_variables_set_options_and_flags_win(start):
    server = start(environment={"SEQNORM_PORT": "1", "SEQNORM_DRAIN_DELAY": "0", "SEQNORM_BATCHING": "padded"})
    text = server.wait_for("configuration")
    assert "batching=padded (environment)" in text
    assert "port=0 (flag)" in text


def test_the_readme_names_every_option_of_serve():
    options = set(re.findall(r"^  (--[a-z0-9-]+)", run("serve", "--help").stdout.decode(), re.MULTILINE)) - {"--version"}
    table = (ROOT / "README.md").read_text()
    assert {option for option in options if f"`{option}`" not in table} == set()
    assert set(re.findall(r"`(--[a-z0-9-]+)`", table)) - options - {"--drain-delay"} == set()


def test_a_run_for_which_there_is_no_memory_fails_and_names_the_node(tmp_path):
    tensor, kind = onnx.helper.make_tensor_value_info, onnx.TensorProto.FLOAT
    wide = onnx.numpy_helper.from_array(numpy.array([1, 1, 250_000_000]), "wide")
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node("Expand", ["x", "wide"], ["y"], name="widen"),
         onnx.helper.make_node("ReduceMax", ["y"], ["z"], axes=[2], keepdims=1)],
        "wide", [tensor("x", kind, ["batch", "time", 1])], [tensor("z", kind, ["batch", "time", 1])], [wide])
    onnx.save(onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8),
              tmp_path / "wide.onnx")

    def predict(kilobytes):
        return subprocess.run(["bash", "-c", f'ulimit -v {kilobytes}; exec "$@"', "_", BINARY, "predict", tmp_path / "wide.onnx"],
                              input=b"[[1.0]]\n", capture_output=True, timeout=300)

    enough, short = predict("unlimited"), predict(1_000_000)
    assert enough.returncode == 0 and logits(json.loads(enough.stdout)) == [[1.0]], enough.stderr
    assert short.returncode == 1 and b"widen" in short.stderr and b"no memory" in short.stderr, short.stderr
