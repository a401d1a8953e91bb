"""Where a server listens: a Unix domain socket, IPv6, a port of its own for control."""

import json
import re
import socket
import subprocess

import pytest

import reference
from seqnorm import BINARY, MODELS, PATIENCE

VOWEL = reference.sequences("vowels-cnn")[0]
BODY = json.dumps({"instances": [VOWEL]})


def curl(*arguments):
    command = ["curl", "--silent", "--show-error", "--globoff", "--max-time", "60", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, timeout=PATIENCE)


class OnSocket:
    """A server on a Unix domain socket."""

    def __init__(self, path, *arguments):
        self.process = subprocess.Popen(
            [BINARY, "serve", "--unix-socket", path, "--drain-delay", "0", *arguments, MODELS],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.first = self.process.stdout.readline()

    def stop(self):
        self.process.terminate()
        self.process.communicate(timeout=PATIENCE)
        return self.process.returncode


def test_a_unix_socket_answers_and_goes_with_the_server(tmp_path):
    path = tmp_path / "s"
    server = OnSocket(path)
    assert f"listening on unix:{path}" in server.first
    done = curl("--unix-socket", path, "--retry", 20, "--retry-all-errors", "--fail", "http://localhost/readyz")
    assert done.returncode == 0, done
    done = curl("--unix-socket", path, "--fail", "--json", BODY, "http://localhost/v1/models/vowels-cnn:predict")
    assert b"predictions" in done.stdout, done
    second = OnSocket(path)
    assert f"{path}: cannot listen: address already in use" in second.first
    assert second.process.wait(PATIENCE) == 1
    assert curl("--unix-socket", path, "http://localhost/livez").returncode == 0, "the first one is not hurt"
    assert server.stop() == 0 and not path.exists()


def test_a_socket_left_behind_by_a_kill_is_taken_over(tmp_path):
    path = tmp_path / "s"
    server = OnSocket(path)
    server.process.kill()
    server.process.wait(PATIENCE)
    assert path.exists()
    server = OnSocket(path)
    assert curl("--unix-socket", path, "--fail", "http://localhost/livez").returncode == 0
    assert server.stop() == 0


@pytest.mark.parametrize("host", ["::1", "[::1]", "::"])
def test_an_ipv6_address_is_listened_on(host):
    with socket.socket(socket.AF_INET6) as probe:
        try:
            probe.bind(("::1", 0))
        except OSError:
            pytest.fail("this machine has no IPv6 loopback")
    server = subprocess.Popen(
        [BINARY, "serve", "--host", host, "--port", "0", "--drain-delay", "0", MODELS],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        port = re.search(r"http://\[::1\]:(\d+)", server.stdout.readline())[1]
        assert curl("--fail", f"http://[::1]:{port}/livez").returncode == 0
        assert (curl("--fail", f"http://127.0.0.1:{port}/livez").returncode == 0) == (host == "::")
    finally:
        server.terminate()
        server.communicate(timeout=PATIENCE)
    assert server.returncode == 0


def test_control_has_a_port_of_its_own(start):
    server = start("--admin-port", "0")
    admin = re.search(r"metrics and control on (http://127\.0\.0\.1:\d+)", server.wait_for("metrics and control"))[1]
    assert server.digits("vowels-cnn", [VOWEL])
    assert server.get("/metrics").status == 404
    assert b"seqnorm_http_requests_total" in curl("--fail", admin + "/metrics").stdout
    assert curl("--fail", admin + "/v1/models").returncode == 22, "no traffic on the port of control"
    for path in ["/livez", "/readyz", "/openapi.yaml"]:
        assert server.get(path).status == 200
        assert curl("--fail", admin + path).returncode == 0


def test_an_admin_port_that_is_taken_is_an_error(start):
    server = start()
    done = subprocess.run(
        [BINARY, "serve", "--port", "0", "--admin-port", str(server.port), MODELS],
        capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 1 and f"127.0.0.1:{server.port}: cannot listen: address already in use" in done.stderr
