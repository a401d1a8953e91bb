"""The release binary as the tests see it: a process, its output, and connections to it."""

import dataclasses
import http.client
import json
import os
import pathlib
import re
import signal
import socket
import ssl
import subprocess
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("SEQNORM_BINARY", ROOT / ".build/release/seqnorm"))
MODELS = ROOT / "Examples/models"
PATIENCE = 60.0


@dataclasses.dataclass
class Answer:
    """One HTTP answer, whole."""

    status: int
    headers: dict
    body: bytes

    def json(self, **options):
        return json.loads(self.body, **options)

    def lines(self):
        return [json.loads(line) for line in self.body.splitlines() if line.strip()]


def trusting(certificate, client=None, **limits):
    """What a client needs that trusts one certificate, and shows one if `client` (certificate, key) is given."""
    context = ssl.create_default_context(cafile=str(certificate))
    if client:
        context.load_cert_chain(*map(str, client))
    for name, version in limits.items():
        setattr(context, name, version)
    return context


class Server:
    """`seqnorm serve` on a free port of 127.0.0.1.

    `tls` is what connections are wrapped with; `headers` go with every request; `log` is where standard error goes, to
    `output` by default.
    """

    def __init__(
            self, *arguments, paths=(MODELS,), environment=None, wait=True, tls=None, headers=None, log=subprocess.STDOUT):
        command = [str(BINARY), "serve", "--port", "0", *map(str, arguments), *map(str, paths)]
        clean = {key: value for key, value in os.environ.items() if not key.startswith("SEQNORM_")}
        self.tls, self.headers = tls, headers or {}
        self.started = time.monotonic()
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, text=True, bufsize=1,
            env={"SEQNORM_DRAIN_DELAY": "0"} | clean | (environment or {}))
        self.output, self.port, self._bound = [], None, threading.Event()
        threading.Thread(target=self._read, daemon=True).start()
        if not self._bound.wait(PATIENCE) or self.port is None:
            self.process.kill()
            raise AssertionError("the server named no port:\n" + "".join(self.output))
        if wait:
            self.wait_until_ready()

    def _read(self):
        for line in self.process.stdout:
            self.output.append(line)
            if self.port is None and (match := re.search(r"https?://127\.0\.0\.1:([1-9]\d*)", line)):
                self.port = int(match[1])
                self._bound.set()
        self._bound.set()

    def wait_until_ready(self):
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            answer = self.get("/readyz")
            if answer.status == 200:
                self.ready_after = time.monotonic() - self.started
                return
            time.sleep(0.005)
        raise AssertionError(f"not ready after {PATIENCE:.0f} s: {answer.body!r}")

    def wait_for(self, words):
        """What the server has printed, once it has printed these words."""
        end = time.monotonic() + PATIENCE
        while words not in (text := "".join(self.output)):
            assert time.monotonic() < end, text
            time.sleep(0.005)
        return text

    def connect(self):
        if self.tls:
            return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=PATIENCE, context=self.tls)
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)

    def socket(self):
        return socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE)

    def descriptors(self):
        """How many files and connections the process holds."""
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def resident(self):
        """Bytes of memory of its own."""
        text = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"RssAnon:\s+(\d+) kB", text)[1]) * 1024

    def request(self, method, path, body=None, headers=None, connection=None):
        own = connection is None
        connection = connection or self.connect()
        try:
            connection.request(method, path, body, self.headers | (headers or {}))
            response = connection.getresponse()
            return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
        finally:
            if own:
                connection.close()

    def get(self, path, **options):
        return self.request("GET", path, **options)

    def post(self, path, body, kind="application/json", **options):
        if not isinstance(body, (bytes, str)):
            body = json.dumps(body)
        if isinstance(body, str):
            body = body.encode()
        headers = {"Content-Type": kind} | options.pop("headers", {})
        return self.request("POST", path, body, headers, **options)

    def predict(self, model, instances, connection=None, **extra):
        """The predictions of `instances`, which must succeed."""
        answer = self.post(f"/v1/models/{model}:predict", {"instances": instances, **extra}, connection=connection)
        assert answer.status == 200, answer.body[:500]
        return answer.json()["predictions"]

    def digits(self, model, instances, verb="predict", field="predictions", connection=None, **extra):
        """As `predict`, every number as the text that was sent: equal texts are equal bits."""
        answer = self.post(f"/v1/models/{model}:{verb}", {"instances": instances, **extra}, connection=connection)
        assert answer.status == 200, answer.body[:500]
        return answer.json(parse_float=str, parse_int=str)[field]

    def metric(self, name):
        """The value of a figure without labels."""
        return float(re.search(rf"^{name} (\S+)$", self.get("/metrics").body.decode(), re.M)[1])

    def raw(self, payload, shut=False):
        """Sends bytes as they are and reads until the server closes or is silent."""
        with self.socket() as connection:
            try:
                connection.sendall(payload)
                if shut:
                    connection.shutdown(socket.SHUT_WR)
            except OSError:
                pass  # the server has closed already
            return drain(connection)

    def signal(self, number=signal.SIGTERM):
        self.process.send_signal(number)

    def exit_code(self):
        return self.process.wait(PATIENCE)

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self.process.kill()
                raise


def drain(connection, enough=None):
    """Bytes until the peer closes, or until `enough(bytes)` says so."""
    received = b""
    try:
        while part := connection.recv(1 << 16):
            received += part
            if enough and enough(received):
                break
    except ConnectionResetError:
        pass
    return received


def run(*arguments, stdin=None, environment=None):
    """A command of the binary, to its end."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith("SEQNORM_")}
    return subprocess.run(
        [str(BINARY), *map(str, arguments)], input=stdin, capture_output=True, timeout=300, env=clean | (environment or {}))
