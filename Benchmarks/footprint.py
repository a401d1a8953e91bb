"""Start to ready, memory after 10,000 requests of ever-new lengths, size of the stripped binary."""

import pathlib
import random
import re
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "Tests/e2e"))
import reference  # noqa: E402
from seqnorm import BINARY, Server  # noqa: E402


def resident(server):
    status = pathlib.Path(f"/proc/{server.process.pid}/status").read_text()
    return {key: int(re.search(rf"{key}:\s+(\d+) kB", status)[1]) / 1024 for key in ("VmRSS", "VmHWM")}


starts = []
for _ in range(5):
    server = Server()
    starts.append(server.ready_after * 1000)
    server.signal()
    assert server.exit_code() == 0
print(f"start to ready, three models: median {statistics.median(starts):.0f} ms, best {min(starts):.0f} ms")

server = Server()
try:
    chance, connection = random.Random(1), server.connect()
    proteins = [sequence for _, sequence in reference.proteins()]
    vowels = reference.sequences("vowels-cnn")
    print(f"resident when ready: {resident(server)['VmRSS']:.0f} MiB")
    for count in range(1, 10_001):
        if count % 2:
            server.predict("vowels-cnn", chance.choices(vowels, k=chance.randint(1, 8)), connection=connection)
        else:
            one = chance.choice(proteins)[: chance.randint(1, 600)]
            server.predict("peptide-bytenet", [one], connection=connection)
        if count in (1000, 5000, 10_000):
            now = resident(server)
            print(f"resident after {count} requests: {now['VmRSS']:.0f} MiB, peak {now['VmHWM']:.0f} MiB", flush=True)
finally:
    server.stop()

with tempfile.TemporaryDirectory() as folder:
    stripped = pathlib.Path(folder, "seqnorm")
    subprocess.run(["strip", "-o", stripped, BINARY], check=True)
    print(f"binary: {stripped.stat().st_size / 1e6:.1f} MB stripped, {BINARY.stat().st_size / 1e6:.1f} MB as built")
