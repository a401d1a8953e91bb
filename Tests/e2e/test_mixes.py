"""Twenty thousand random mixes of sequences: every byte as alone, and no memory kept."""

import concurrent.futures
import itertools
import json
import pathlib
import random
import re

import reference

MIXES, LANES, LARGEST_MIX, POOL = 20_000, 8, 6, 160


def resident_bytes(server):
    status = pathlib.Path(f"/proc/{server.process.pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) << 10


def pool(model, random_numbers):
    """Sequences of many lengths: whole ones, and beginnings and ends of them."""
    whole = random_numbers.sample(reference.sequences(model), POOL)
    cut = [random_numbers.randrange(1, len(each) + 1) for each in whole]
    return whole[::2] + [each[:end] for each, end in zip(whole[1::4], cut)] + [each[-end:] for each, end in zip(whole[3::4], cut)]


def test_20000_random_mixes_over_three_threads_give_the_bytes_of_one_sequence_on_one(start, capsys):
    alone, mixed = start("--threads", 1), start("--threads", 3)
    random_numbers = random.Random(20)
    answers = {}
    for model in reference.DATA:
        bodies = [json.dumps(each) for each in pool(model, random_numbers)]
        path, connection = f"/v1/models/{model}:predict", alone.connect()
        for body in bodies:
            answer = alone.post(path, f'{{"instances":[{body}]}}', connection=connection)
            assert answer.status == 200, answer.body
            head, tail = b'{"predictions":[', b"]}"
            assert answer.body.startswith(head) and answer.body.endswith(tail)
            answers[path, body] = answer.body[len(head):-len(tail)]
    bodies = {path: [body for of, body in answers if of == path] for path in dict.fromkeys(path for path, _ in answers)}

    def lane(number):
        choices, connection = random.Random(number), mixed.connect()
        for _ in range(MIXES // LANES // 4):
            path = choices.choice(list(bodies))
            mix = choices.choices(bodies[path], k=choices.randint(1, LARGEST_MIX))
            answer = mixed.post(path, f'{{"instances":[{",".join(mix)}]}}', connection=connection)
            expected = b'{"predictions":[' + b",".join(answers[path, body] for body in mix) + b"]}"
            assert answer.body == expected, f"lane {number}, {path}: {mix}"
        return MIXES // LANES // 4

    numbers, resident, sent = itertools.count(), [resident_bytes(mixed)], 0
    with concurrent.futures.ThreadPoolExecutor(LANES) as lanes:
        for _ in range(4):
            sent += sum(lanes.map(lane, itertools.islice(numbers, LANES)))
            resident.append(resident_bytes(mixed))
    with capsys.disabled():
        print(f"\n{sent} mixes; resident at the start and after each quarter, MiB:",
              *(f"{each / 2**20:.1f}" for each in resident))
    assert sent == MIXES
    assert resident[-1] <= 1.05 * resident[2], "memory grows with the number of mixes"
