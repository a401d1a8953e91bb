"""Products of bfloat16: what the server tells of them, and that company changes no byte with any instruction set."""

import random

import pytest

import reference


@pytest.mark.parametrize("instruction_set", ["baseline", "avx2", "avx512", "avx512-bf16", "amx"])
def test_company_changes_no_byte_in_bf16_with_any_instruction_set(start, instruction_set):
    running = start("--precision", "bf16", environment={"SEQNORM_ISA": instruction_set})
    for model in reference.DATA:
        pool = random.Random(5).sample(reference.sequences(model), 12)
        # Around the widths of every tile.
        mixes = [pool[0][:length] for length in range(1, len(pool[0]) + 1)] + pool
        together = running.digits(model, mixes)
        assert together == [running.digits(model, [each])[0] for each in mixes]


def test_any_number_of_threads_gives_the_same_bytes_in_bf16(start):
    instances = random.Random(6).sample(reference.sequences("peptide-bytenet"), 64)
    answers = []
    for threads in (1, 2, 3, 8):
        running = start("--threads", threads, environment={"SEQNORM_PRECISION": "bf16"})
        answers.append(running.digits("peptide-bytenet", instances))
    assert all(each == answers[0] for each in answers)


@pytest.mark.parametrize("precision", ["float32", "bf16"])
def test_metadata_tells_the_precision(start, precision):
    running = start("--precision", precision)
    assert running.get("/v1/models/vowels-cnn/metadata").json()["metadata"]["precision"] == precision
