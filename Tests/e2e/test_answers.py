"""Every reference case, through the server."""

import random

import pytest

import reference


@pytest.fixture(params=["ragged", "padded"])
def either(request):
    return request.getfixturevalue("server" if request.param == "ragged" else "padded")


def check(case, got):
    largest = reference.difference(got, case.logits)
    print(f"{case}: {len(got)} sequences, largest difference {largest:.2e}")
    assert largest <= case.tolerance


@pytest.mark.parametrize("case", reference.cases(), ids=str)
def test_sequences_sent_alone_get_the_reference_logits(either, case):
    connection = either.connect()
    check(case, [either.predict(case.model, [one], connection=connection)[0] for one in case.instances])


@pytest.mark.parametrize("case", reference.cases(), ids=str)
def test_sequences_sent_together_get_the_reference_logits(either, case):
    check(case, either.predict(case.model, case.instances))


@pytest.mark.parametrize("case", reference.cases(), ids=str)
def test_sequences_sent_in_shuffled_batches_get_the_reference_logits(either, case):
    order = list(range(len(case.instances)))
    random.Random(7).shuffle(order)
    got = [None] * len(order)
    connection = either.connect()
    for start in range(0, len(order), 23):
        part = order[start : start + 23]
        answers = either.predict(case.model, [case.instances[index] for index in part], connection=connection)
        for index, answer in zip(part, answers, strict=True):
            got[index] = answer
    check(case, got)


def test_normalized_features_are_the_reference_ones_and_nothing_for_padding(either):
    file = reference.tensors("peptide-bytenet")
    instances = reference.unpad(file)
    answer = either.post("/v1/models/peptide-bytenet:normalize", {"instances": instances})
    assert answer.status == 200, answer.body[:500]
    largest = 0.0
    for got, expected, length in zip(answer.json()["normalized"], file["normalized"], file["length"], strict=True):
        largest = max(largest, reference.difference(got, expected[:, :length].T))
    print(f"normalized: largest difference {largest:.2e}")
    assert largest <= 1e-4


@pytest.mark.parametrize("model", reference.DATA)
def test_padded_and_ragged_batches_agree(server, padded, model):
    instances = reference.sequences(model)
    mine, theirs = (each.predict(model, instances) for each in (server, padded))
    largest = max(abs(a - b) for x, y in zip(mine, theirs, strict=True) for a, b in zip(x, y, strict=True))
    print(f"{model}: padded against ragged, largest difference {largest:.2e}")
    assert largest <= 1e-5
