"""What an operator sees: metrics that Prometheus takes, timings on demand, traces and levels in logs."""

import json
import re
import shutil
import signal
import subprocess
import time

import pytest

import reference
from seqnorm import PATIENCE, ROOT

PEPTIDES = ["GLFDIVKKVVGALGSL", "ACDEFGHIKLMNPQRSTVWY"]
PREDICT = "/v1/models/peptide-bytenet:predict"
ONLY_SOMETIMES = {
    "seqnorm_rejected_total", "seqnorm_http_rejected_total", "seqnorm_spans_exported_total", "seqnorm_spans_dropped_total"}


def exercised(server):
    """The metrics after requests good and bad, small and large."""
    server.predict("peptide-bytenet", PEPTIDES * 200)
    server.predict("vowels-cnn", reference.sequences("vowels-cnn")[:3])
    assert server.post(PREDICT, {"instances": ["1"]}).status == 422
    assert server.get("/nowhere").status == 404
    return server.get("/metrics").body.decode()


def test_prometheus_takes_the_metrics(server):
    promtool = shutil.which("promtool")
    assert promtool, "scripts/install-dependencies test installs it"
    checked = subprocess.run([promtool, "check", "metrics"], input=exercised(server), capture_output=True, text=True)
    assert checked.returncode == 0, checked.stderr + checked.stdout
    assert not checked.stderr.strip(), checked.stderr


def families(text):
    return dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE))


def test_every_metric_has_a_help_the_prefix_and_a_place_in_the_documentation(server):
    text = exercised(server)
    page = (ROOT / "docs/operations.md").read_text()
    for name, kind in families(text).items():
        assert name.startswith(("seqnorm_", "process_")), name
        assert not re.search(rf"^# HELP {name} {name}$", text, re.MULTILINE), f"{name} has no help"
        assert (kind == "counter") == name.endswith("_total"), name
        assert f"`{name}`" in page, f"{name} is not in docs/operations.md"
    for name in re.findall(r"`(seqnorm_\w+|process_\w+)`", page):
        assert name in families(text) or name in ONLY_SOMETIMES, name


def test_every_option_of_serve_is_in_the_documentation():
    from seqnorm import run

    page = (ROOT / "docs/operations.md").read_text()
    options = set(re.findall(r"--[a-z][a-z0-9-]+", run("serve", "--help").stdout.decode())) - {"--help", "--version"}
    for option in options - {"--drain-delay"}:
        assert f"`{option}`" in page, option


def test_server_timing_is_given_to_those_who_ask(server):
    plain = server.post(PREDICT, {"instances": PEPTIDES})
    assert "server-timing" not in {name.lower() for name in plain.headers}
    body = json.dumps({"instances": PEPTIDES}).encode()
    asked = server.request(
        "POST", PREDICT, body, {"Content-Type": "application/json", "X-Request-Timing": "1"})
    fields = {name.lower(): value for name, value in asked.headers.items()}
    assert re.fullmatch(
        r"decode;dur=\d+\.\d{3}, queue;dur=\d+\.\d{3}, compute;dur=\d+\.\d{3}, encode;dur=\d+\.\d{3}",
        fields["server-timing"])
    assert asked.body == plain.body


def test_the_answer_tells_how_it_was_made_to_those_who_ask(server):
    answer = server.post(PREDICT, {"instances": PEPTIDES, "parameters": {"timing": True}})
    assert answer.status == 200, answer.body
    told = answer.json()["seqnorm"]
    assert told["rows"] == sum(map(len, PEPTIDES))
    assert told["batch_rows"] >= told["rows"] and told["batches"] >= 1
    assert set(told["milliseconds"]) == {"decode", "queue", "compute"}
    assert all(value >= 0 for value in told["milliseconds"].values())
    assert answer.json()["predictions"] == server.predict("peptide-bytenet", PEPTIDES)


def log_lines(server):
    found = []
    for line in list(server.output):
        try:
            found.append(json.loads(line))
        except ValueError:
            pass
    return found


def wait_for_line(server, condition):
    end = time.monotonic() + PATIENCE
    while True:
        for line in log_lines(server):
            if isinstance(line, dict) and condition(line):
                return line
        assert time.monotonic() < end, "".join(server.output)
        time.sleep(0.01)


def test_the_access_log_is_json_and_bears_the_callers_trace(start):
    server = start("--log-format", "json", "--access-log", "true")
    trace, parent = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
    body = json.dumps({"instances": PEPTIDES}).encode()
    server.request("POST", PREDICT, body, {
        "Content-Type": "application/json", "traceparent": f"00-{trace}-{parent}-01", "X-Request-Id": "traced-1"})
    line = wait_for_line(server, lambda line: line.get("request_id") == "traced-1")
    assert (line["trace_id"], line["parent_id"]) == (trace, parent)
    assert re.fullmatch(r"[0-9a-f]{16}", line["span_id"]) and line["span_id"] != parent
    assert (line["level"], line["message"], line["method"], line["status"]) == ("info", "request", "POST", "200")
    assert line["route"] == "/v1/models/{model}:predict" and float(line["seconds"]) > 0
    assert all(each not in "".join(server.output) for each in PEPTIDES), "no request data in logs"
    server.request("GET", "/livez", headers={"X-Request-Id": "untraced-1"})
    own = wait_for_line(server, lambda line: line.get("request_id") == "untraced-1")
    assert re.fullmatch(r"[0-9a-f]{32}", own["trace_id"]) and "parent_id" not in own


def test_nothing_is_logged_of_requests_by_default(start):
    server = start()
    server.wait_for("configuration:")
    before = len(server.output)
    server.predict("peptide-bytenet", PEPTIDES)
    assert server.post(PREDICT, {"instances": ["1"]}).status == 422
    server.stop()
    assert not [line for line in server.output[before:] if "request" in line.lower()]


def test_a_signal_changes_the_level_and_back(start):
    server = start("--log-format", "json")
    server.signal(signal.SIGUSR1)
    wait_for_line(server, lambda line: line["message"] == "log level is debug now")
    server.request("POST", PREDICT, b"{", {"Content-Type": "application/json", "X-Request-Id": "heard-1"})
    wait_for_line(server, lambda line: line.get("request_id") == "heard-1" and line["level"] == "debug")
    server.signal(signal.SIGUSR1)
    wait_for_line(server, lambda line: line["message"] == "log level is info now")
    server.request("POST", PREDICT, b"{", {"Content-Type": "application/json", "X-Request-Id": "unheard-1"})
    server.stop()
    assert "unheard-1" not in "".join(server.output)


@pytest.mark.parametrize("arguments, status, reason", [
    (("--max-queued-rows", "10"), 429, "overloaded_rows"),
    (("--max-queued-requests", "1", "--max-queued-rows", "100000000"), 429, "overloaded_requests"),
    (("--request-timeout", "0.5", "--max-queued-rows", "100000000"), 504, "deadline_exceeded"),
])
def test_work_over_a_limit_is_refused_and_counted(start, arguments, status, reason):
    import threading

    server = start("--threads", "1", "--max-inline-microseconds", "0", *arguments)
    heavy = {"instances": ["ACDEFGHIKLMNPQRSTVWY" * 50] * 2000}
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(server.post(PREDICT, heavy))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    refused = [answer for answer in answers if answer.status == status]
    assert refused and {answer.status for answer in answers} <= {200, status}, [answer.status for answer in answers]
    if status == 429:
        assert all(1 <= int(answer.headers["retry-after"]) <= 60 for answer in refused)
    text = server.get("/metrics").body.decode()
    assert re.search(rf'^seqnorm_rejected_total{{reason="{reason}"}} {len(refused)}$', text, re.MULTILINE)
    assert server.predict("peptide-bytenet", PEPTIDES)
