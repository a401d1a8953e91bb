"""Keys, what browsers are told, and the verbs every path has."""

import hashlib
import signal
import time

import pytest

import reference
from seqnorm import PATIENCE, drain

VOWEL = reference.sequences("vowels-cnn")[0]
OPEN = ["/livez", "/readyz", "/healthz", "/v2/health/live", "/v2/health/ready", "/openapi.yaml"]


def line(name, scopes, key):
    return f"{name} {scopes} {hashlib.sha256(key.encode()).hexdigest()}\n"


def bearer(key):
    return {"headers": {"Authorization": f"Bearer {key}"}}


@pytest.fixture
def keys(tmp_path):
    path = tmp_path / "keys"
    path.write_text("# keys\n" + line("alice", "infer", "one") + line("prometheus", "metrics", "two"))
    return path


def test_a_key_opens_what_it_is_for_and_probes_are_open(start, keys):
    server = start("--api-keys", keys)
    for path in OPEN:
        assert server.get(path).status == 200
    answer = server.get("/v1/models")
    assert answer.status == 401 and answer.json()["code"] == "unauthorized"
    assert answer.headers["www-authenticate"] == 'Bearer realm="seqnorm"'
    answer = server.get("/v1/models", **bearer("three"))
    assert answer.status == 401 and 'error="invalid_token"' in answer.headers["www-authenticate"]
    answer = server.get("/v1/models", **bearer("two"))
    assert answer.status == 403 and answer.json()["code"] == "forbidden"
    assert server.get("/v1/models", **bearer("one")).status == 200
    assert server.get("/v1/models", headers={"X-API-Key": "one"}).status == 200
    assert server.get("/metrics", **bearer("two")).status == 200
    assert server.get("/metrics", **bearer("one")).status == 403
    server.headers = {"X-API-Key": "one"}
    assert server.digits("vowels-cnn", [VOWEL])
    text = "".join(server.output)
    for secret in ["Bearer", hashlib.sha256(b"one").hexdigest()]:
        assert secret not in text


def test_a_body_without_leave_is_refused_before_it_is_sent(start, keys):
    server = start("--api-keys", keys)
    with server.socket() as connection:
        connection.sendall(
            b"POST /v1/models/vowels-cnn:predict HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
            b"Content-Length: 60000000\r\nExpect: 100-continue\r\n\r\n")
        assert drain(connection).startswith(b"HTTP/1.1 401 ")


def test_keys_are_read_anew(start, keys):
    server = start("--api-keys", keys)
    assert server.get("/v1/models", **bearer("new")).status == 401
    keys.write_text(line("bob", "infer", "new"))
    server.signal(signal.SIGHUP)
    end = time.monotonic() + PATIENCE
    while server.get("/v1/models", **bearer("new")).status != 200:
        assert time.monotonic() < end
    assert server.get("/v1/models", **bearer("one")).status == 401
    keys.write_text("bob infer\n")
    server.signal(signal.SIGHUP)
    assert "line 1: a line is NAME SCOPE" in server.wait_for("the keys stays as it was")
    assert server.get("/v1/models", **bearer("new")).status == 200


def test_browsers_are_told_nothing_unless_asked_for(start, server):
    headers = {"Origin": "https://a.example", "Access-Control-Request-Method": "POST"}
    path = "/v1/models/vowels-cnn:predict"
    for method in ["OPTIONS", "POST"]:
        answer = server.request(method, path, headers=headers)
        assert not [name for name in answer.headers if name.startswith("access-control")]
    opened = start("--cors-origin", "https://a.example,https://b.example")
    answer = opened.request("OPTIONS", path, headers=headers)
    assert answer.status == 204 and answer.headers["access-control-allow-origin"] == "https://a.example"
    assert "POST" in answer.headers["access-control-allow-methods"]
    assert "content-type" in answer.headers["access-control-allow-headers"].lower()
    answer = opened.post(path, {"instances": [VOWEL]}, headers={"Origin": "https://b.example"})
    assert answer.status == 200 and answer.headers["access-control-allow-origin"] == "https://b.example"
    answer = opened.post(path, {"instances": [VOWEL]}, headers={"Origin": "https://c.example"})
    assert answer.status == 200 and "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("path", ["/", "/livez", "/v1/models", "/metrics", "/openapi.yaml"])
def test_head_and_options_are_right(server, path):
    whole, head = server.get(path), server.request("HEAD", path)
    assert head.status == 200 and head.body == b"" and head.headers["content-type"] == whole.headers["content-type"]
    if path != "/metrics":
        assert head.headers["content-length"] == whole.headers["content-length"]
    options = server.request("OPTIONS", path)
    assert options.status == 204 and options.headers["allow"] == "GET, HEAD, OPTIONS"


def test_the_page_is_held_to_what_it_is(server):
    headers = server.get("/").headers
    assert headers["content-security-policy"].startswith("default-src 'none'")
    assert headers["x-content-type-options"] == "nosniff" and headers["x-frame-options"] == "DENY"
