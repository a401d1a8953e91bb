"""CPU time a request: `seqnorm serve` against a well tuned FastAPI server, by the same requests in one run.

wrk keeps connections on loopback and goes round the bodies of a workload, one sequence a request or 64. Each server is one
process on one processor of its own, wrk has the other, and rounds alternate; figures are medians of user and system time.
Before anything is timed both servers' answers are compared. `ratio` is ours to theirs: below 1, seqnorm needs less.
"""

import json
import pathlib
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

import numpy

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "Benchmarks"))
sys.path.insert(0, str(ROOT / "Tests/e2e"))
import wrk  # noqa: E402
from peers.models import all_models  # noqa: E402
from peers.workloads import sequences, workloads  # noqa: E402
from seqnorm import Server  # noqa: E402

SECONDS, ROUNDS, CONNECTIONS = 3, 3, 8
PROTEINS = workloads()["32 proteins"]
# What it is, the model, the lengths of each request's sequences, and the most of FastAPI's CPU time it may take.
CASES = [
    ("one of 15 steps", "vowels-cnn", [[15]], 0.2),
    ("64 of 7 to 29 steps", "vowels-cnn", [[7 + index % 23 for index in range(64)]], None),
    ("one of 350 steps", "vowels-cnn", [[350]], 0.4),
    ("one of 15 steps", "vowels-bnlstm", [[15]], None),
    ("one of 7 to 50 letters", "peptide-bytenet", [[length] for length in workloads()["64 peptides"]], None),
    ("one protein", "bytenet", [[length] for length in PROTEINS], 0.8),
]


class FastAPI:
    """The other server, with what `Server` of the tests offers."""

    def __init__(self, folder):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        script = ROOT / "Benchmarks/peers/fastapi_server.py"
        self.process = subprocess.Popen([sys.executable, script, str(self.port), folder])
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz")
                return
            except OSError:
                assert self.process.poll() is None, "the FastAPI server has ended"
                time.sleep(0.05)

    def stop(self):
        self.process.terminate()
        self.process.wait()


def body(model, lengths):
    """A request's JSON without blanks, numbers with four decimals."""
    instances = [each.astype(float if model.features else int).round(4).tolist() for each in sequences(model, lengths)]
    return json.dumps({"instances": instances}, separators=(",", ":"))


def answer(server, path, body):
    request = urllib.request.Request(
        f"http://127.0.0.1:{server.port}{path}", body.encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request) as reply:
        return numpy.array(json.load(reply)["predictions"], object)


def flat(value):
    return [float(each) for part in value for each in (flat(part) if isinstance(part, (list, numpy.ndarray)) else [part])]


wrk.take_one_processor()
with tempfile.TemporaryDirectory() as folder:
    models = {model.served.stem: model for model in all_models(pathlib.Path(folder))}
    single = ["--threads", "1", "--event-loop-threads", "1"]
    servers = Server(*single, paths=[models[name].served for name in dict.fromkeys(case[1] for case in CASES)]), FastAPI(folder)
    try:
        print(f"{'model':16} {'request':24} {'bytes':>7} {'seqnorm us':>11} {'a second':>9} {'FastAPI us':>11} "
              f"{'a second':>9} {'ratio':>6} {'at most':>8}")
        for title, name, requests, most in CASES:
            bodies = [body(models[name], lengths) for lengths in requests]
            path = f"/v1/models/{name}:predict"
            for one in bodies[:4]:
                ours, theirs = (numpy.array(flat(answer(server, path, one))) for server in servers)
                assert numpy.abs(ours - theirs).max() <= 1e-3 * numpy.abs(theirs).max(), name
            script = wrk.write_script(folder, path, bodies)
            rounds = []
            for server in servers:
                wrk.run(server, path, 1, CONNECTIONS, script)
            for _ in range(ROUNDS):
                rounds.append([wrk.run(server, path, SECONDS, CONNECTIONS, script) for server in servers])
            (ours, our_rate), (theirs, their_rate) = (
                (statistics.median(run.spent for run in runs), statistics.median(run.rate for run in runs))
                for runs in zip(*rounds))
            size = statistics.mean(map(len, bodies))
            print(f"{name:16} {title:24} {size:7.0f} {ours:11.1f} {our_rate:9.0f} {theirs:11.1f} {their_rate:9.0f} "
                  f"{ours / theirs:6.2f} {most or '':>8}", flush=True)
    finally:
        for server in servers:
            server.stop()
