"""What options of the server cost a request: servers that differ in them alone, loaded in turn for a second each.

    Benchmarks/http_options.py "--http2 false" ""

Each argument is the options of one server; what the others spend is compared with the first, round by round, so that a
machine whose clock changes meanwhile does not count. A request is a :predict of one 15-step vowel sequence, model and all.
"""

import json
import pathlib
import shlex
import statistics
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "Tests/e2e"))
import wrk  # noqa: E402
from reference import sequences  # noqa: E402
from seqnorm import Server  # noqa: E402

ROUNDS = 12
PATH = "/v1/models/vowels-cnn:predict"

single = ["--event-loop-threads", "1"] if wrk.take_one_processor() else []
variants = sys.argv[1:]
if len(variants) < 2:
    sys.exit(__doc__)
servers = [Server(*single, *shlex.split(options)) for options in variants]
try:
    with tempfile.TemporaryDirectory() as folder:
        body = json.dumps({"instances": [next(each for each in sequences("vowels-cnn") if len(each) == 15)]})
        script = wrk.write_script(folder, PATH, [body])
        print(f"median of {ROUNDS} rounds of 1 s; in brackets that of the quotients with the first")
        for connections in (1, 8, 64):
            rounds = [[wrk.run(each, PATH, 1, connections, script).spent for each in servers] for _ in range(ROUNDS + 1)]
            for index, options in enumerate(variants):
                spent = statistics.median(each[index] for each in rounds[1:])
                quotient = statistics.median(each[index] / each[0] for each in rounds[1:])
                print(f"{connections:3} connections: {spent:5.1f} us CPU a request ({quotient:.3f})  {options}", flush=True)
finally:
    for each in servers:
        each.stop()
