"""Probes, metadata, metrics and pages."""

import re
import shlex
import subprocess

import pytest
import yaml

import reference
from seqnorm import MODELS, ROOT

SAMPLE = re.compile(r'^([a-zA-Z_:][\w:]*)(\{(?:[a-zA-Z_]\w*="(?:[^"\\]|\\.)*",?)*\})? (NaN|[+-]Inf|[-+0-9.eE]+)$')


def test_the_start_message_names_models_address_and_a_request_that_works(start):
    server = start()
    text = server.wait_for("curl ")
    for model in reference.DATA:
        assert model in text
    assert f"http://127.0.0.1:{server.port}" in text
    line = re.search(r"curl .*", text)[0]
    done = subprocess.run(shlex.split(line) + ["--silent", "--show-error", "--fail"], capture_output=True, timeout=60)
    assert done.returncode == 0 and b"predictions" in done.stdout, (line, done)


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/healthz", "/v2/health/live", "/v2/health/ready"])
def test_probes_answer(server, path):
    assert server.get(path).status == 200


def test_models_are_listed_and_described(server):
    names = server.get("/v1/models").json()["models"]
    names = [each if isinstance(each, str) else each["name"] for each in names]
    assert set(names) == {*reference.DATA, *(file.stem for file in reference.PLAIN)}
    for name in names:
        assert server.get(f"/v1/models/{name}").status == 200
        assert server.get(f"/v1/models/{name}/metadata").status == 200
        assert server.get(f"/v2/models/{name}/ready").status == 200
        described = server.get(f"/v2/models/{name}").json()
        assert described["name"] == name and described["inputs"] and described["outputs"]
    assert {"name", "version", "extensions"} <= set(server.get("/v2").json())


def test_metrics_are_prometheus_text_and_count_requests(server):
    def read():
        answer = server.get("/metrics")
        assert answer.status == 200 and answer.headers["content-type"].startswith("text/plain")
        samples, typed = {}, {}
        for line in answer.body.decode().splitlines():
            if line.startswith("# TYPE "):
                _, _, name, kind = line.split()
                assert name not in typed, f"{name} is typed twice"
                typed[name] = kind
            elif line and not line.startswith("#"):
                match = SAMPLE.match(line)
                assert match, line
                key = match[1] + (match[2] or "")
                assert key not in samples, f"{key} twice"
                samples[key] = float(match[3])
        for key in samples:
            name = re.sub(r"\{.*", "", key)
            assert name in typed or re.sub(r"_(bucket|sum|count|total)$", "", name) in typed, name
        return samples

    before = read()
    for _ in range(5):
        server.predict("vowels-cnn", reference.sequences("vowels-cnn")[:1])
    after = read()
    grown = [key for key in after if after[key] - before.get(key, 0) == 5]
    assert grown, "no counter grew by the five requests"


def test_openapi_and_the_front_page_are_served(server):
    answer = server.get("/openapi.yaml")
    assert answer.status == 200
    assert yaml.safe_load(answer.body) == yaml.safe_load((ROOT / "openapi.yaml").read_text())
    page = server.get("/")
    assert page.status == 200 and page.headers["content-type"].startswith("text/")
    for link in re.findall(rb'href="(/[^"]*)"', page.body):
        assert server.get(link.decode()).status == 200, link


def test_a_model_that_does_not_load_keeps_ready_at_503_and_says_why(start, tmp_path):
    good = (MODELS / "vowels-cnn/1/model.onnx").read_bytes()
    (tmp_path / "broken.onnx").write_bytes(good[: len(good) // 2])
    server = start(paths=[MODELS, tmp_path / "broken.onnx"], wait=False)
    assert server.get("/livez").status == 200
    answer = server.get("/readyz")
    assert answer.status == 503
