"""CPU time of the server a `:predict` request, beyond the model's own time.

wrk sends a 15-step vowel sequence over kept connections on loopback. The server's user and system time comes from
/proc/PID/stat, the model's own time from the server's `seqnorm_compute_seconds` over the same requests. Where there are
two processors the server has one for itself and wrk the other, so that the clock of a run counts nothing but the run;
what the model takes alone, by `seqnorm bench` on the same processor, is printed beside it. Target: 40 us.
"""

import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "Tests/e2e"))
from reference import sequences  # noqa: E402
from seqnorm import BINARY, MODELS, Server  # noqa: E402

SECONDS, ROUNDS = 4, 3


def processor_time(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def compute_seconds(server):
    text = server.get("/metrics").body.decode()
    return tuple(float(re.search(rf'seqnorm_compute_seconds_{what}{{.*model="vowels-cnn".*}} (\S+)', text)[1])
                 for what in ("sum", "count"))


def load(server, script, path, connections):
    """Microseconds of CPU a request, of those in the model, and requests a second."""
    before, model = processor_time(server.process.pid), compute_seconds(server)
    done = subprocess.run(
        [*ELSEWHERE, "wrk", "-t1", f"-c{connections}", f"-d{SECONDS}s", "-s", script,
         f"http://127.0.0.1:{server.port}{path}"], capture_output=True, text=True, check=True).stdout
    spent = processor_time(server.process.pid) - before
    seconds, runs = (after - earlier for after, earlier in zip(compute_seconds(server), model))
    assert "Non-2xx" not in done and "Socket errors" not in done, done
    requests = int(re.search(r"(\d+) requests in", done)[1])
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", done)[1])
    return spent / requests * 1e6, seconds / max(runs, 1) * 1e6, rate


def plan():
    done = subprocess.run(
        [BINARY, "bench", MODELS / "vowels-cnn/1/model.onnx", "--length", "15", "--iterations", "2000"],
        capture_output=True, text=True, check=True).stdout
    return float(re.search(r"([\d.]+) us median", done)[1])


processors = sorted(os.sched_getaffinity(0))
ELSEWHERE = ["taskset", "-c", str(processors[1])] if len(processors) > 1 else []
if ELSEWHERE:
    os.sched_setaffinity(0, processors[:1])
one = next(each for each in sequences("vowels-cnn") if len(each) == 15)
body = json.dumps({"instances": [one]})
server = Server(*(["--event-loop-threads", "1"] if ELSEWHERE else []))
try:
    with tempfile.TemporaryDirectory() as folder:
        post, get = pathlib.Path(folder, "post.lua"), pathlib.Path(folder, "get.lua")
        post.write_text(f"wrk.method = 'POST'\nwrk.headers['Content-Type'] = 'application/json'\nwrk.body = [==[{body}]==]\n")
        get.write_text("")
        print(f"body {len(body)} bytes; median of {ROUNDS} rounds of {SECONDS} s")
        load(server, post, "/v1/models/vowels-cnn:predict", 8)
        for connections in (1, 8, 64):
            rounds = [load(server, post, "/v1/models/vowels-cnn:predict", connections) for _ in range(ROUNDS)]
            spent, own, rate = (statistics.median(column) for column in zip(*rounds))
            print(
                f"{connections:3} connections: {spent:6.1f} us CPU a request - model {own:.1f} us = "
                f"{spent - own:6.1f} us for HTTP and JSON; {rate:.0f} requests/s", flush=True)
        spent, _, rate = load(server, get, "/livez", 8)
        print(f"  GET /livez, 8 connections: {spent:.1f} us CPU a request; {rate:.0f} requests/s")
        print(f"  the model alone: {plan():.1f} us")
finally:
    server.stop()
