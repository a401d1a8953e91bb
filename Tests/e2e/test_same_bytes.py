"""An answer's bytes never depend on what was sent beside it."""

import concurrent.futures
import random

import pytest

import reference

PROTEINS = [sequence for _, sequence in reference.proteins()]


def neighbours(model, count, seed):
    pool = list(reference.sequences(model))
    if model == "peptide-bytenet":
        pool += PROTEINS + [letter for letter in reference.ALPHABET]
    return random.Random(seed).choices(pool, k=count)


@pytest.mark.parametrize("verb", ["predict", "normalize"])
@pytest.mark.parametrize("model", reference.DATA)
def test_alone_first_last_and_in_64_are_the_same_bytes(server, model, verb):
    field = "predictions" if verb == "predict" else "normalized"
    for seed, one in enumerate(random.Random(1).sample(reference.sequences(model), 4)):
        (alone,) = server.digits(model, [one], verb, field)
        others = neighbours(model, 63, seed)
        for place in (0, 31, 63):
            batch = others[:place] + [one] + others[place:]
            assert server.digits(model, batch, verb, field)[place] == alone, f"at {place} of 64"


def test_neighbours_of_1_to_2554_letters_change_no_byte(server):
    longest = max(PROTEINS, key=len)
    assert len(longest) == 2554
    for one in ("G", "GLFDIVKK", longest[:300], longest):
        (alone,) = server.digits("peptide-bytenet", [one])
        batch = ["A", one, longest, "C" * 63, one, longest[:1200], one]
        together = server.digits("peptide-bytenet", batch)
        assert [together[index] for index in (1, 4, 6)] == [alone] * 3


@pytest.mark.parametrize("model", reference.DATA)
def test_requests_that_share_a_batch_get_the_bytes_they_get_alone(server, model):
    instances = random.Random(3).sample(reference.sequences(model), 96)
    expected = server.digits(model, instances)

    def lane(number):
        order = list(range(number, len(instances), 16))
        connection = server.connect()
        return [(index, server.digits(model, [instances[index]], connection=connection)[0]) for index in order * 4]

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        for answers in pool.map(lane, range(16)):
            for index, answer in answers:
                assert answer == expected[index], f"sequence {index}"


def test_a_sequence_of_100000_letters_changes_no_byte_and_gets_its_own(start):
    # One compute thread takes it with the others, two take it apart.
    long = "".join(random.Random(7).choices(reference.ALPHABET, k=100_000))
    answers = []
    for threads in (1, 2):
        running = start("--threads", threads)
        (alone,), (short,) = (running.digits("peptide-bytenet", [each]) for each in (long, "GLFDIVKK"))
        assert running.digits("peptide-bytenet", ["GLFDIVKK", long, "GLFDIVKK"]) == [short, alone, short]
        answers.append((alone, short))
    assert answers[0] == answers[1]


@pytest.mark.parametrize("instruction_set", ["baseline", "avx2", "avx512"])
def test_company_changes_no_byte_with_any_instruction_set(start, instruction_set):
    running = start(environment={"SEQNORM_ISA": instruction_set})
    for model in reference.DATA:
        pool = random.Random(5).sample(reference.sequences(model), 12)
        # Around the widths of every tile.
        mixes = [pool[0][:length] for length in range(1, len(pool[0]) + 1)] + pool
        together = running.digits(model, mixes)
        assert together == [running.digits(model, [each])[0] for each in mixes]
