"""verify, the drawing of inspect, and models that hold the length of their trace."""

import json
import re
import shutil
import xml.etree.ElementTree

import pytest

import reference
from seqnorm import MODELS, ROOT, run

EXPORTS = ROOT / "Tests/Fixtures/exports"
NOMASK = reference.FOLDER / "models/vowels-plain-bn/eval-legacy-nomask.onnx"


def checks(document):
    return {check["kind"]: check for check in document["checks"]}


@pytest.mark.parametrize("model", reference.DATA)
def test_the_example_models_hold_in_everything(model):
    done = run("verify", MODELS / model, "--json")
    assert done.returncode == 0, done.stdout
    document = json.loads(done.stdout)
    assert document["held"] and not document["failing_lengths"] and not document["unused_inputs"]
    assert {check["outcome"] for check in document["checks"]} <= {"held", "noted"}
    assert run("verify", MODELS / model, "--data", reference.DATA[model]).returncode == 0


def test_a_leak_of_padding_is_named_with_its_first_node():
    done = run("verify", NOMASK, "--json")
    assert done.returncode == 1
    found = checks(json.loads(done.stdout))
    assert found["padding"]["outcome"] == "failed" and found["padding"]["node"] == "/convs.1/Conv"
    assert found["padding"]["largest_difference"] > 0.01
    assert found["ragged"]["outcome"] == found["company"]["outcome"] == "held"
    text = run("verify", NOMASK)
    assert text.returncode == 1 and b"FAILED" in text.stdout and b"/convs.1/Conv" in text.stdout
    assert run("verify", NOMASK, "--allow", "padding").returncode == 0


def test_company_that_changes_an_answer_is_found():
    done = run("verify", EXPORTS / "cond-dynamo.onnx", "--json")
    assert done.returncode == 1
    assert checks(json.loads(done.stdout))["company"]["outcome"] == "failed"


def test_wrong_usage_of_verify(tmp_path):
    assert run("verify").returncode == 2
    assert run("verify", NOMASK, "--allow", "nonsense").returncode == 2
    assert run("verify", NOMASK, "--format", "jsonl").returncode == 2
    assert run("verify", tmp_path / "nothing.onnx").returncode == 1
    (tmp_path / "empty.jsonl").write_text("")
    empty = run("verify", NOMASK, "--data", tmp_path / "empty.jsonl")
    assert empty.returncode == 1 and b"empty.jsonl" in empty.stderr
    (tmp_path / "bad.jsonl").write_text("[[1, 2]]\n")
    bad = run("verify", NOMASK, "--data", tmp_path / "bad.jsonl")
    assert bad.returncode == 1 and b"line 1" in bad.stderr


@pytest.mark.parametrize("name", ["transformer-legacy", "conformer-legacy", "unrolled-last-legacy"])
def test_a_traced_length_is_found_at_load_and_refused_with_422(start, name):
    document = json.loads(run("verify", EXPORTS / f"{name}.onnx", "--json").stdout)
    assert re.match(r"exported with length 17 fixed at node \S+", checks(document)["lengths"]["detail"])
    assert 17 not in [failure["length"] for failure in document["failing_lengths"]]
    server = start(paths=[EXPORTS / f"{name}.onnx"])
    assert "only sequences of length 17 can be served" in server.wait_for("warning")

    def sequence(length):
        return [1] * length if name.startswith("transformer") else [[0.5] * 6] * length

    assert len(server.predict(name, [sequence(17)])) == 1
    for length in (1, 16, 18, 50):
        answer = server.post(f"/v1/models/{name}:predict", {"instances": [sequence(17), sequence(length)]})
        assert answer.status == 422, answer.body
        body = answer.json()
        assert body["code"] == "invalid_input" and body["path"] == "instances[1]"
        assert "length 17 fixed at node" in body["error"]


@pytest.mark.parametrize("path", [MODELS / "vowels-cnn", MODELS / "vowels-bnlstm", EXPORTS / "cond-dynamo.onnx"])
def test_a_model_is_drawn(path, tmp_path):
    done = run("inspect", path, "--graph", tmp_path / "out.dot")
    assert done.returncode == 0, done.stderr
    text = (tmp_path / "out.dot").read_text()
    assert text.startswith("digraph") and text.endswith("}\n")
    svg = run("inspect", path, "--graph", tmp_path / "out.svg")
    if shutil.which("dot"):
        assert svg.returncode == 0, svg.stderr
        boxes = len(re.findall(r"^ *n\d+ \[", text, re.MULTILINE))
        drawn = xml.etree.ElementTree.parse(tmp_path / "out.svg").getroot()
        assert len([each for each in drawn.iter() if each.get("class") == "node"]) == boxes
    assert {each.name for each in tmp_path.iterdir()} <= {"out.dot", "out.svg"}


def test_without_graphviz_a_drawing_says_what_to_install(tmp_path):
    done = run("inspect", MODELS / "vowels-cnn", "--graph", tmp_path / "out.svg", environment={"PATH": str(tmp_path)})
    assert done.returncode == 1 and b"graphviz" in done.stderr
    assert not list(tmp_path.iterdir())
    assert run("inspect", MODELS / "vowels-cnn", "--graph", tmp_path / "out.png").returncode == 2
    assert run("inspect", MODELS / "vowels-cnn", "--graph", tmp_path / "no/out.dot").returncode == 1
