"""Bodies other than plain instances: objects, tokens, labels, FASTA, JSON Lines, tensors."""

import json
import math

import pytest

import reference

PEPTIDES = ["GLFDIVKKVVGALGSL", "ACDEFGHIKLMNPQRSTVWY", "GIGKFLHSAKKFGKAFVGEIMNS"]


def test_letters_ids_and_named_inputs_are_the_same_sequence(server):
    letters = server.digits("peptide-bytenet", PEPTIDES)
    ids = [[reference.ALPHABET.index(letter) for letter in one] for one in PEPTIDES]
    assert server.digits("peptide-bytenet", ids) == letters
    assert server.digits("peptide-bytenet", [{"tokens": one} for one in ids]) == letters
    vowel = reference.sequences("vowels-cnn")[0]
    assert server.digits("vowels-cnn", [{"x": vowel}]) == server.digits("vowels-cnn", [vowel])


def test_outputs_asked_for_by_name_come_by_name(server):
    answer = server.post(
        "/v1/models/peptide-bytenet:predict",
        {"instances": PEPTIDES, "outputs": ["predictions", "normalized"]})
    assert answer.status == 200, answer.body[:500]
    for one, got in zip(PEPTIDES, answer.json()["predictions"], strict=True):
        assert set(got) == {"predictions", "normalized"}
        assert len(got["predictions"]) == 2
        assert [len(step) for step in got["normalized"]] == [64] * len(one)


@pytest.mark.parametrize("model", reference.DATA)
def test_top_k_gives_labels_with_the_probabilities_of_the_logits(server, model):
    instances = reference.sequences(model)[:8]
    logits = server.predict(model, instances)
    classes = len(logits[0])
    names = ["other", "antimicrobial"] if classes == 2 else [str(k) for k in range(1, 10)]
    for k in (1, 2, classes):
        answers = server.predict(model, instances, parameters={"top_k": k})
        for row, got in zip(logits, answers, strict=True):
            total = sum(math.exp(value - max(row)) for value in row)
            order = sorted(range(classes), key=lambda index: -row[index])[:k]
            assert [entry["label"] for entry in got] == [names[index] for index in order]
            for entry, index in zip(got, order, strict=True):
                assert entry["probability"] == pytest.approx(math.exp(row[index] - max(row)) / total, abs=1e-6)


def test_fasta_is_answered_as_its_sequences_are(server):
    records = reference.proteins()[:40]
    body = "".join(
        f">{name} some words\n" + "\n".join(one[at : at + 60] for at in range(0, len(one), 60)) + "\n"
        for name, one in records)
    expected = server.digits("peptide-bytenet", [one for _, one in records])
    for text in (body, body.replace("\n", "\r\n"), body.rstrip("\n")):
        answer = server.post("/v1/models/peptide-bytenet:predict", text, "text/x-fasta")
        assert answer.status == 200, answer.body[:500]
        got = answer.json(parse_float=str, parse_int=str)["predictions"]
        assert [logits(each) for each in got] == expected


def logits(row):
    """The logits of one answer, whether it bears a name or an id or is bare."""
    if isinstance(row, list):
        return row
    for key in ("predictions", "prediction"):
        if key in row:
            return logits(row[key])
    raise AssertionError(f"no predictions in {sorted(row)}")


@pytest.mark.parametrize("shape", ["sequences", "objects"])
def test_json_lines_are_answered_line_by_line(server, shape):
    rows = reference.rows("vowels-cnn")[:50]
    lines = [row["sequence"] if shape == "sequences" else {"id": row["id"], "sequence": row["sequence"]} for row in rows]
    answer = server.post(
        "/v1/models/vowels-cnn:predict", "\n".join(map(json.dumps, lines)) + "\n", "application/x-ndjson")
    assert answer.status == 200, answer.body[:500]
    assert answer.headers["content-type"].startswith("application/x-ndjson")
    got = [json.loads(line, parse_float=str, parse_int=str) for line in answer.body.splitlines()]
    assert [logits(each) for each in got] == server.digits("vowels-cnn", [row["sequence"] for row in rows])
    if shape == "objects":
        assert [each["id"] for each in got] == [row["id"] for row in rows]


def test_normalize_takes_fasta_and_json_lines(server):
    (expected,) = server.digits("peptide-bytenet", PEPTIDES[:1], "normalize", "normalized")
    fasta = server.post("/v1/models/peptide-bytenet:normalize", f">one\n{PEPTIDES[0]}\n", "text/x-fasta")
    lines = server.post(
        "/v1/models/peptide-bytenet:normalize", json.dumps(PEPTIDES[0]) + "\n", "application/x-ndjson")
    assert (fasta.status, lines.status) == (200, 200), (fasta.body[:300], lines.body[:300])
    (got,) = fasta.json(parse_float=str, parse_int=str)["normalized"]
    assert (got["normalized"] if isinstance(got, dict) else got) == expected
    (got,) = [json.loads(line, parse_float=str, parse_int=str) for line in lines.body.splitlines()]
    assert (got["normalized"] if isinstance(got, dict) else got) == expected


LAYERS = {
    "vowels-cnn": {"block1.bn": 64, "block2.bn": 64, "block3.bn": 64},
    "vowels-bnlstm": {"lstm.bn_x": 256, "lstm.bn_h": 256, "lstm.bn_c": 64},
}


@pytest.mark.parametrize("model", LAYERS)
def test_every_layer_the_metadata_names_can_be_normalized(server, model):
    vowel = reference.sequences(model)[0]
    for layer, channels in LAYERS[model].items():
        answer = server.post(f"/v1/models/{model}:normalize", {"instances": [vowel], "layer": layer})
        assert answer.status == 200, answer.body[:500]
        (got,) = answer.json()["normalized"]
        assert [len(step) for step in got] == [channels] * len(vowel)


def tensor(name, datatype, array):
    return {"name": name, "datatype": datatype, "shape": list(array.shape), "data": array.ravel().tolist()}


@pytest.mark.parametrize("model", reference.DATA)
def test_infer_with_a_mask_gives_the_reference_logits_of_the_padded_batch(server, model):
    file = reference.tensors(model)
    sequence = tensor("tokens", "INT64", file["tokens"]) if "tokens" in file else tensor("x", "FP32", file["x"])
    body = {"id": "a b", "inputs": [sequence, tensor("mask", "FP32", file["mask"])], "outputs": [{"name": "predictions"}]}
    answer = server.post(f"/v2/models/{model}/infer", body)
    assert answer.status == 200, answer.body[:500]
    reply = answer.json()
    assert (reply["model_name"], reply["id"]) == (model, "a b")
    (output,) = reply["outputs"]
    assert (output["name"], output["datatype"], output["shape"]) == ("predictions", "FP32", list(file["predictions"].shape))
    largest = reference.difference(
        [output["data"][at : at + output["shape"][1]] for at in range(0, len(output["data"]), output["shape"][1])],
        file["predictions"])
    print(f"{model} infer: largest difference {largest:.2e}")
    assert largest <= 1e-5


def test_infer_without_a_mask_takes_the_whole_shape(server):
    vowel = reference.sequences("vowels-cnn")[0]
    nested = [[[step[channel] for step in vowel] for channel in range(12)]]
    flat = [value for row in nested[0] for value in row]
    answers = []
    for data in (nested, flat):
        body = {"inputs": [{"name": "x", "datatype": "FP32", "shape": [1, 12, len(vowel)], "data": data}]}
        answer = server.post("/v2/models/vowels-cnn/infer", body)
        assert answer.status == 200, answer.body[:500]
        answers.append(answer.json(parse_float=str, parse_int=str)["outputs"][0]["data"])
    assert answers[0] == answers[1] == server.digits("vowels-cnn", [vowel])[0]
