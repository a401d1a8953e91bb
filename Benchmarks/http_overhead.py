"""CPU time of the server a `:predict` request, beyond the model's own time.

wrk sends one sequence over kept connections on loopback: a 15-step vowel sequence (2.4 KB of JSON) or a peptide of 8
letters. The server's user and system time comes from /proc/PID/stat, the model's own time from the server's
`seqnorm_compute_seconds` over the same requests. Where there are two processors the server has one for itself and wrk the
other, so that the clock of a run counts nothing but the run; what the model takes alone, by `seqnorm bench` on the same
processor, is printed beside it.

What is left is the kernel's work on a socket and a sleeping process as well. So a C program that answers each read with as
many bytes, and does nothing else (`bare_server.c`), is loaded in turn with the server; `above it` is what seqnorm costs beyond
the model and that program. Targets: 40 us for the vowels, 25 us for the peptide.
"""

import contextlib
import json
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import types

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "Tests/e2e"))
import wrk  # noqa: E402
from reference import sequences  # noqa: E402
from seqnorm import BINARY, MODELS, Server  # noqa: E402

SECONDS, ROUNDS = 4, 3


def compute_seconds(server, model):
    text = server.get("/metrics").body.decode()
    return tuple(float(re.search(rf'seqnorm_compute_seconds_{what}{{.*model="{model}".*}} (\S+)', text)[1])
                 for what in ("sum", "count"))


def load(server, model, script, path, connections):
    """Microseconds of CPU a request, of those in the model, and requests a second."""
    before = compute_seconds(server, model)
    done = wrk.run(server, path, SECONDS, connections, script)
    seconds, runs = (after - earlier for after, earlier in zip(compute_seconds(server, model), before))
    return done.spent, seconds / max(runs, 1) * 1e6, done.rate


def alone(model, length):
    done = subprocess.run(
        [BINARY, "bench", MODELS / model / "1/model.onnx", "--length", str(length), "--iterations", "2000"],
        capture_output=True, text=True, check=True).stdout
    return float(re.search(r"([\d.]+) us median", done)[1])


@contextlib.contextmanager
def bare_server(program, size):
    """The C program, answering with `size` bytes."""
    process = subprocess.Popen([program, str(size)], stdout=subprocess.PIPE, text=True)
    try:
        yield types.SimpleNamespace(process=process, port=int(process.stdout.readline()))
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


single = wrk.take_one_processor()
server = Server(*(["--event-loop-threads", "1"] if single else []))
try:
    with tempfile.TemporaryDirectory() as folder:
        program = pathlib.Path(folder, "bare_server")
        subprocess.run(["clang", "-O2", "-Wall", "-Werror", "-o", program, ROOT / "Benchmarks/bare_server.c"], check=True)
        print(f"median of {ROUNDS} rounds of {SECONDS} s")
        for model, length in (("vowels-cnn", 15), ("peptide-bytenet", 8)):
            body = json.dumps({"instances": [next(each for each in sequences(model) if len(each) == length)]})
            path = f"/v1/models/{model}:predict"
            answer = server.post(path, body.encode()).body
            script = wrk.write_script(folder, path, [body])
            print(f"{model}, {length} positions, {len(body)} bytes; the model alone: {alone(model, length):.1f} us")
            load(server, model, script, path, 8)
            with bare_server(program, len(answer)) as bare:
                for connections in (1, 8, 64):
                    rounds = [(*load(server, model, script, path, connections),
                               wrk.run(bare, path, SECONDS, connections, script).spent) for _ in range(ROUNDS)]
                    spent, own, rate, sockets = (statistics.median(column) for column in zip(*rounds))
                    print(
                        f"{connections:3} connections: {spent:6.1f} us CPU a request - model {own:.1f} us = "
                        f"{spent - own:6.1f} us for HTTP and JSON; {rate:.0f} requests/s; "
                        f"bare sockets {sockets:.1f} us, above it {spent - own - sockets:.1f} us", flush=True)
        done = wrk.run(server, "/livez", SECONDS, 8)
        print(f"GET /livez, 8 connections: {done.spent:.1f} us CPU a request; {done.rate:.0f} requests/s")
finally:
    server.stop()
