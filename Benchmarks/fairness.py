"""How long a single request waits beside bulk: p50 and p99 of one 15-step sequence, alone and while requests of 10,000
sequences of the same model are run without a pause. Goal: p99 at most 3 times that without load.

Singles are sent at fixed times, 100 a second; one that could not be sent in time, because the answer before it was late,
counts from when it should have been. Bulk has a process and a connection of its own. The two kinds alternate in rounds; the
figures are of all rounds.
"""

import http.client
import json
import multiprocessing
import pathlib
import statistics
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "Tests/e2e"))
from reference import sequences  # noqa: E402
from seqnorm import Server  # noqa: E402

ROUNDS, SECONDS, RATE, BULK = 5, 3, 100, 10_000


def post(connection, body):
    connection.request("POST", "/v1/models/vowels-cnn:predict", body, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    assert answer.status == 200, answer.read()
    answer.read()


def singles(port, body):
    """Microseconds until the answer of each."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    begin, times = time.perf_counter(), []
    for index in range(SECONDS * RATE):
        due = begin + index / RATE
        if (early := due - time.perf_counter()) > 0:
            time.sleep(early)
            due = time.perf_counter()
        post(connection, body)
        times.append((time.perf_counter() - due) * 1e6)
    return times


def bulk(port, body, count, ended):
    connection = http.client.HTTPConnection("127.0.0.1", port)
    while not ended.is_set():
        post(connection, body)
        count.value += 1


def main(port):
    data = sequences("vowels-cnn")
    one = json.dumps({"instances": [next(each for each in data if len(each) == 15)]}).encode()
    many = json.dumps({"instances": [data[index % len(data)] for index in range(BULK)]}).encode()
    alone, beside, answered = [], [], multiprocessing.Value("i")
    singles(port, one)
    for _ in range(ROUNDS):
        alone += singles(port, one)
        ended = multiprocessing.Event()
        load = multiprocessing.Process(target=bulk, args=(port, many, answered, ended))
        load.start()
        beside += singles(port, one)
        ended.set()
        load.join()
        assert load.exitcode == 0
    p50, p99 = zip(*((statistics.median(times), statistics.quantiles(times, n=100)[98]) for times in (alone, beside)))
    print(f"one sequence of 15 steps, {len(alone)} requests: p50 {p50[0]:.0f} us, p99 {p99[0]:.0f} us")
    print(f"beside {answered.value} requests of {BULK} sequences ({len(many) / 1e6:.0f} MB each): p50 {p50[1]:.0f} us, "
          f"p99 {p99[1]:.0f} us, {p99[1] / p99[0]:.2f} times")


server = Server()
try:
    main(server.port)
finally:
    server.stop()
