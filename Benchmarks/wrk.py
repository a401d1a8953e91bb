"""Load by wrk on a server that has one processor for itself, where there are two; wrk has the other."""

import dataclasses
import os
import pathlib
import re
import subprocess

PROCESSORS = sorted(os.sched_getaffinity(0))
ELSEWHERE = ["taskset", "-c", str(PROCESSORS[1])] if len(PROCESSORS) > 1 else []
UNITS = {"us": 1, "ms": 1e3, "s": 1e6}


@dataclasses.dataclass
class Load:
    """What a run of wrk came to: microseconds of CPU a request, requests a second, microseconds until the answer."""

    spent: float
    rate: float
    p50: float
    p99: float


def take_one_processor():
    """Leaves this process, and what it starts, on the first processor; whether there is another for wrk."""
    if ELSEWHERE:
        os.sched_setaffinity(0, PROCESSORS[:1])
    return bool(ELSEWHERE)


def processor_time(pid):
    """Seconds, user and system."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def write_script(folder, path, bodies):
    """A script that goes round the bodies, each sent to a path."""
    script, lines = pathlib.Path(folder, "post.lua"), pathlib.Path(folder, "bodies")
    lines.write_text("\n".join(bodies))
    # wrk.format needs the Host field, which wrk knows from init on.
    script.write_text(f"""
        local requests, next = {{}}, 0
        function init(arguments)
            wrk.method, wrk.path, wrk.headers["Content-Type"] = "POST", "{path}", "application/json"
            for body in io.lines("{lines}") do
                requests[#requests + 1] = wrk.format(nil, nil, nil, body)
            end
        end
        function request()
            next = next % #requests + 1
            return requests[next]
        end
        """)
    return script


def run(server, path, seconds, connections, script=None):
    """Sends what the script says, or GET, as fast as the server answers; any error ends the benchmark."""
    before = processor_time(server.process.pid)
    done = subprocess.run(
        [*ELSEWHERE, "wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "20s", "--latency",
         *(["-s", script] if script else []), f"http://127.0.0.1:{server.port}{path}"], capture_output=True, text=True)
    spent = processor_time(server.process.pid) - before
    assert done.returncode == 0, done.stdout + done.stderr
    done = done.stdout
    assert "Non-2xx" not in done and "Socket errors" not in done, done

    def percentile(share):
        number, unit = re.search(rf"{share}%\s+([\d.]+)(us|ms|s)", done).groups()
        return float(number) * UNITS[unit]

    requests = int(re.search(r"(\d+) requests in", done)[1])
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", done)[1])
    return Load(spent / requests * 1e6, rate, percentile(50), percentile(99))
