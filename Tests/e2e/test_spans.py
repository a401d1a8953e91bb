"""Spans over OTLP/HTTP: what a collector gets, and that no request minds what the collector does."""

import gzip
import http.server
import json
import queue
import re
import threading

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from seqnorm import PATIENCE
from test_sight import log_lines, wait_for_line

PEPTIDES = ["GLFDIVKKVVGALGSL", "ACDEFGHIKLMNPQRSTVWY"]
PREDICT = "/v1/models/peptide-bytenet:predict"
TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


class Collector:
    """An HTTP server that takes spans; `statuses` are its first answers, and it answers nothing before `opened` is set."""

    def __init__(self, *statuses):
        self.messages, self.asked, self.opened = queue.Queue(), threading.Semaphore(0), threading.Event()
        self.opened.set()
        statuses, owner, self.keys, self.codings = list(statuses), self, [], []

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                owner.keys.append(self.headers["Api-Key"])
                owner.codings.append(self.headers["Content-Encoding"])
                if owner.codings[-1] == "gzip":
                    body = gzip.decompress(body)
                owner.asked.release()
                owner.opened.wait(PATIENCE)
                status = statuses.pop(0) if statuses else 200
                if status == 200:
                    owner.messages.put((self.path, self.headers["Content-Type"], body))
                try:
                    self.send_response(status)
                    if status == 503:
                        self.send_header("Retry-After", "0")
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                except ConnectionError:
                    pass

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def next(self):
        """The spans of the next message, by their resource."""
        path, kind, body = self.messages.get(timeout=PATIENCE)
        assert (path, kind) == ("/v1/traces", "application/x-protobuf")
        message = ExportTraceServiceRequest.FromString(body)
        (resource,) = message.resource_spans
        (scope,) = resource.scope_spans
        return values(resource.resource), list(scope.spans)

    def spans(self, wanted):
        """All spans, once `wanted` of them are of the server."""
        found = []
        while sum(span.kind == Span.SPAN_KIND_SERVER for span in found) < wanted:
            found += self.next()[1]
        return found

    def stop(self):
        self.opened.set()
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def collector():
    running = Collector()
    yield running
    running.stop()


def values(holder):
    return {each.key: getattr(each.value, each.value.WhichOneof("value")) for each in holder.attributes}


def traced(start, collector, *arguments, **options):
    return start("--otlp-endpoint", collector.url, "--otlp-interval", "0.02", *arguments, **options)


def of_route(spans, name):
    return [span for span in spans if span.name == name]


def predict(server, **headers):
    body = json.dumps({"instances": PEPTIDES}).encode()
    return server.request("POST", PREDICT, body, {"Content-Type": "application/json"} | headers)


def until(collector, name):
    """Spans until one of this name has come."""
    found = []
    while not of_route(found, name):
        found += collector.next()[1]
    return found


def test_a_request_is_a_span_below_its_callers_with_the_ids_of_the_log(start, collector):
    server = traced(start, collector, "--log-format", "json", "--access-log", "true", "--otlp-service-name", "proteins")
    assert predict(server, traceparent=f"00-{TRACE}-{PARENT}-01", **{"X-Request-Id": "traced-1"}).status == 200
    line = wait_for_line(server, lambda line: line.get("request_id") == "traced-1")
    name = "POST /v1/models/{model}:predict"
    spans = until(collector, name)
    (span,) = of_route(spans, name)
    assert span.trace_id.hex() == TRACE == line["trace_id"]
    assert span.parent_span_id.hex() == PARENT == line["parent_id"]
    assert span.span_id.hex() == line["span_id"]
    assert span.kind == Span.SPAN_KIND_SERVER and span.status.code == Status.STATUS_CODE_UNSET
    told = values(span)
    rows = sum(map(len, PEPTIDES))
    assert told.pop("seqnorm.batch_rows") >= rows and told.pop("seqnorm.batches") >= 1
    assert told == {
        "http.request.method": "POST", "http.route": "/v1/models/{model}:predict", "url.path": PREDICT, "url.scheme": "http",
        "http.response.status_code": 200, "seqnorm.rows": rows}
    stages = [each for each in spans if each.parent_span_id == span.span_id]
    assert [each.name for each in stages] == ["decode", "queue", "compute", "encode"]
    for each, after in zip(stages, stages[1:] + [None]):
        assert each.trace_id == span.trace_id and each.kind == Span.SPAN_KIND_INTERNAL
        assert span.start_time_unix_nano <= each.start_time_unix_nano <= each.end_time_unix_nano <= span.end_time_unix_nano
        assert after is None or each.start_time_unix_nano <= after.start_time_unix_nano
    assert all(peptide.encode() not in span.SerializeToString() for peptide in PEPTIDES for span in spans)


def test_the_resource_names_service_version_and_process(start, collector):
    from seqnorm import run

    traced(start, collector, environment={"OTEL_SERVICE_NAME": "by-variable"})
    resource, _ = collector.next()
    assert resource["service.name"] == "by-variable"
    assert resource["service.version"] in run("--version").stdout.decode()
    assert re.fullmatch(r"[0-9a-f]{32}", resource["service.instance.id"])


def test_the_standard_variable_names_the_collector(start, collector):
    server = start("--otlp-interval", "0.02", environment={"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url + "/"})
    assert server.get("/livez").status == 200
    assert until(collector, "GET /livez")


def test_a_span_without_a_caller_begins_a_trace_and_failures_are_told(start, collector):
    server = traced(start, collector)
    assert server.get("/nowhere?secret=1").status == 404
    assert server.post(PREDICT, {"instances": ["1"]}).status == 422
    name = "POST /v1/models/{model}:predict"
    spans = until(collector, name)
    (unknown,), (refused,) = of_route(spans, "GET"), of_route(spans, name)
    assert values(unknown)["http.response.status_code"] == 404 and "http.route" not in values(unknown)
    assert values(unknown)["url.path"] == "/nowhere"
    assert values(refused)["http.response.status_code"] == 422 and refused.status.code == Status.STATUS_CODE_UNSET
    assert not unknown.parent_span_id and unknown.trace_id != refused.trace_id


def test_only_what_is_sampled_is_sent(start, collector):
    server = traced(start, collector, "--otlp-sampling-ratio", "0")
    for flag in ("00", "01"):
        assert predict(server, traceparent=f"00-{TRACE}-{PARENT}-{flag}").status == 200
    assert predict(server).status == 200
    server.stop()
    assert server.exit_code() == 0
    spans = collector.spans(1)
    assert collector.messages.empty()
    assert len([span for span in spans if span.kind == Span.SPAN_KIND_SERVER]) == 1


def test_the_last_spans_are_sent_when_the_server_stops(start, collector):
    server = start("--otlp-endpoint", collector.url, "--otlp-interval", "3600", "--otlp-sampling-ratio", "0")
    for _ in range(20):
        assert predict(server, traceparent=f"00-{TRACE}-{PARENT}-01").status == 200
    assert collector.messages.empty()
    server.stop()
    assert server.exit_code() == 0
    assert len(of_route(collector.spans(20), "POST /v1/models/{model}:predict")) == 20


def test_a_collector_that_asks_to_wait_gets_the_same_spans_again(start):
    collector = Collector(503, 429)
    server = traced(start, collector, "--otlp-sampling-ratio", "0")
    assert predict(server, traceparent=f"00-{TRACE}-{PARENT}-01").status == 200
    assert len(of_route(collector.spans(1), "POST /v1/models/{model}:predict")) == 1
    server.wait_for("the collector takes no spans: status 503")
    server.wait_for("the collector takes spans again")
    assert server.metric("seqnorm_spans_exported_total") == 1
    collector.stop()


def test_requests_are_answered_while_the_collector_is_silent_and_what_does_not_fit_is_counted(start, collector):
    collector.opened.clear()
    server = traced(start, collector, "--otlp-max-queued-spans", "8", "--otlp-timeout", "600")
    assert collector.asked.acquire(timeout=PATIENCE), "the collector holds a batch"
    for _ in range(40):
        assert predict(server).status == 200
    dropped = re.search(r'^seqnorm_spans_dropped_total{reason="queue_full"} (\d+)$',
                        server.get("/metrics").body.decode(), re.MULTILINE)
    assert int(dropped[1]) >= 32
    collector.opened.set()
    assert collector.spans(8)


def test_requests_are_answered_and_the_server_stops_while_no_collector_is_there(start, collector):
    collector.stop()
    server = traced(start, collector, "--log-format", "json")
    for _ in range(20):
        assert predict(server).status == 200
    wait_for_line(server, lambda line: "the collector takes no spans: connection refused" in line["message"])
    server.stop()
    assert server.exit_code() == 0
    warnings = [line for line in log_lines(server) if "collector" in line["message"]]
    assert len(warnings) == 1, "one line, not one a batch"


def test_without_a_collector_nothing_is_said_of_spans(server):
    assert "seqnorm_spans" not in server.get("/metrics").body.decode()


def test_the_collectors_key_goes_with_every_message_and_nowhere_else(start, collector):
    key = "a key, of sorts"
    server = traced(start, collector, environment={"OTEL_EXPORTER_OTLP_HEADERS": "api-key=a%20key%2C%20of%20sorts"})
    for _ in range(2):
        server.get("/livez")
        until(collector, "GET /livez")
    assert set(collector.keys) == {key}
    printed = "".join(server.output)
    assert collector.url in printed and key not in printed and "a%20key" not in printed


@pytest.mark.parametrize("name", ["OTEL_EXPORTER_OTLP_COMPRESSION", "OTEL_EXPORTER_OTLP_TRACES_COMPRESSION"])
def test_spans_are_compressed_if_the_standard_variable_says_so(start, collector, name):
    server = traced(start, collector, environment={name: "gzip"})
    assert predict(server, traceparent=f"00-{TRACE}-{PARENT}-01").status == 200
    (span,) = of_route(until(collector, "POST /v1/models/{model}:predict"), "POST /v1/models/{model}:predict")
    assert span.trace_id.hex() == TRACE and values(span)["url.path"] == PREDICT
    assert set(collector.codings) == {"gzip"}


def test_spans_are_not_compressed_by_themselves(start, collector):
    traced(start, collector)
    collector.next()
    assert collector.codings[0] is None


def test_a_compression_that_is_not_known_is_refused_at_the_start(collector):
    from seqnorm import MODELS, run

    done = run("serve", MODELS, "--otlp-endpoint", collector.url, environment={"OTEL_EXPORTER_OTLP_COMPRESSION": "zstd"})
    assert done.returncode == 2
    assert b"OTEL_EXPORTER_OTLP_COMPRESSION must be none or gzip" in done.stderr
