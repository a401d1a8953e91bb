"""Requests a second, time until the answer and CPU time a request, by wrk on loopback.

The three models of Examples, one sequence a request and 64, from 1, 8 and 64 connections. The bodies go round 64 different
ones of the models' own test data. p50 and p99 are what a client sees at full load, when it waits behind the others.
"""

import json
import pathlib
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "Tests/e2e"))
import wrk  # noqa: E402
from reference import sequences  # noqa: E402
from seqnorm import Server  # noqa: E402

SECONDS = 3

single = wrk.take_one_processor()
server = Server(*(["--threads", "1", "--event-loop-threads", "1"] if single else []))
try:
    with tempfile.TemporaryDirectory() as folder:
        print(f"{'model':16} {'sequences':>9} {'connections':>11} {'requests/s':>10} {'sequences/s':>11} {'p50 us':>8} "
              f"{'p99 us':>8} {'CPU us':>7}")
        for model in ("vowels-cnn", "peptide-bytenet", "vowels-bnlstm"):
            data = sequences(model)[:64]
            for count in (1, 64):
                bodies = [json.dumps({"instances": [data[(first + each) % len(data)] for each in range(count)]})
                          for first in range(64)]
                path = f"/v1/models/{model}:predict"
                script = wrk.write_script(folder, path, bodies)
                wrk.run(server, path, 1, 8, script)
                for connections in (1, 8, 64):
                    load = wrk.run(server, path, SECONDS, connections, script)
                    print(f"{model:16} {count:9} {connections:11} {load.rate:10.0f} {load.rate * count:11.0f} {load.p50:8.0f} "
                          f"{load.p99:8.0f} {load.spent:7.1f}", flush=True)
finally:
    server.stop()
