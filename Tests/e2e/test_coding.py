"""Compressed bodies in both directions."""

import gzip
import json
import subprocess
import zlib

import pytest

import reference
from seqnorm import PATIENCE

CNN = "/v1/models/vowels-cnn:predict"
VOWELS = reference.sequences("vowels-cnn")[:100]
BODY = json.dumps({"instances": VOWELS}).encode()


def raw_deflate(data):
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


CODED = {
    "gzip": ("gzip", gzip.compress(BODY)),
    "two members": ("gzip", gzip.compress(BODY[:1000]) + gzip.compress(BODY[1000:])),
    "x-gzip": ("x-gzip", gzip.compress(BODY)),
    "deflate": ("deflate", zlib.compress(BODY)),
    "deflate without its wrapping": ("deflate", raw_deflate(BODY)),
    "identity": ("identity", BODY),
}


@pytest.fixture(scope="module")
def expected(server):
    return server.post(CNN, BODY).body


@pytest.mark.parametrize("name", CODED)
def test_a_compressed_request_gets_the_same_answer(server, expected, name):
    coding, data = CODED[name]
    answer = server.post(CNN, data, headers={"Content-Encoding": coding})
    assert answer.status == 200 and answer.body == expected


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_a_compressed_answer_is_the_same_answer(server, expected, coding):
    answer = server.post(CNN, BODY, headers={"Accept-Encoding": coding})
    assert answer.headers["content-encoding"] == coding and "accept-encoding" in answer.headers["vary"].lower()
    assert len(answer.body) < len(expected) * 0.7
    assert zlib.decompress(answer.body, wbits=47) == expected


@pytest.mark.parametrize("field", ["br, zstd", "identity", "gzip;q=0", "*;q=0", ""])
def test_an_answer_is_plain_if_the_client_takes_nothing_else(server, expected, field):
    answer = server.post(CNN, BODY, headers={"Accept-Encoding": field})
    assert "content-encoding" not in answer.headers and answer.body == expected


def test_a_stream_is_compressed_as_it_comes(server):
    lines = "\n".join(json.dumps(each) for each in VOWELS).encode()
    plain = server.post(CNN, lines, "application/x-ndjson")
    packed = server.post(CNN, gzip.compress(lines), "application/x-ndjson",
                         headers={"Content-Encoding": "gzip", "Accept-Encoding": "gzip"})
    assert packed.headers["content-encoding"] == "gzip" and packed.headers["transfer-encoding"] == "chunked"
    assert gzip.decompress(packed.body) == plain.body


def test_curl_reads_a_compressed_answer(server, expected, tmp_path):
    (tmp_path / "body").write_bytes(gzip.compress(BODY))
    command = [
        "curl", "--silent", "--show-error", "--fail", "--compressed", "--data-binary", f"@{tmp_path}/body",
        "-H", "Content-Type: application/json", "-H", "Content-Encoding: gzip", f"http://127.0.0.1:{server.port}{CNN}"]
    assert subprocess.run(command, capture_output=True, timeout=PATIENCE, check=True).stdout == expected


@pytest.mark.parametrize("coding", ["br", "zstd", "gzip, gzip", "compress"])
def test_an_unknown_coding_is_415_and_the_known_ones_are_told(server, coding):
    answer = server.post(CNN, BODY, headers={"Content-Encoding": coding})
    assert answer.status == 415 and answer.json()["code"] == "unsupported_media_type"
    assert "gzip" in answer.headers["accept-encoding"]


@pytest.mark.parametrize("data", [b"", b"{}", gzip.compress(BODY)[:-9], gzip.compress(BODY) + b"x", BODY])
def test_a_body_that_is_not_in_its_coding_is_400(server, data):
    answer = server.post(CNN, data, headers={"Content-Encoding": "gzip"})
    assert answer.status == 400, answer.body


def test_bombs_are_413_and_take_no_memory(start):
    server = start("--max-inflate-ratio", "50", "--max-body-bytes", str(8 << 20))
    bomb = gzip.compress(b" " * (100 << 20), 9)
    answer = server.post(CNN, bomb, headers={"Content-Encoding": "gzip"})
    before = server.resident()
    for coding, data in [("gzip", bomb), ("deflate", zlib.compress(b"0" * (100 << 20), 9))] * 20:
        answer = server.post(CNN, data, headers={"Content-Encoding": coding})
        assert answer.status == 413 and answer.json()["code"] == "payload_too_large"
        assert "50 times" in answer.json()["error"]
    assert server.resident() - before < 64 << 20
    generous = start("--max-inflate-ratio", "1000000", "--max-body-bytes", str(8 << 20))
    answer = generous.post(CNN, bomb, headers={"Content-Encoding": "gzip"})
    assert answer.status == 413 and str(8 << 20) in answer.json()["error"]
