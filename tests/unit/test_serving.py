"""What the service answers, asked without a socket; files and settings that it refuses."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import struct
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("onnx", reason="the extra 'export' is not installed")
pytest.importorskip("httptools", reason="the extra 'serve' is not installed")

from serving_models import (
    CLASSES,
    FACTS,
    Answered,
    asked,
    expected,
    multipart,
    picture,
    write_model,
)

from mnistlab.cli import run_command
from mnistlab.data.preparing import prepare
from mnistlab.data.readers import pixels
from mnistlab.errors import DataError, RunError
from mnistlab.own_pages import MARK
from mnistlab.serving import Limits, ServeSettings
from mnistlab.serving.model import open_model
from mnistlab.serving.service import Service
from mnistlab.serving.settings import read_token
from mnistlab.serving.sources import page_of, sources_of

Ask = Callable[..., Answered]
TOKEN = "a token of a test"[:16].replace(" ", "-")
IMAGES = np.random.default_rng(1).integers(0, 256, (3, 28, 28), dtype=np.uint8)
IMAGES[2] //= 4  # dark: not unusual
JPEG_SIDE = 90


@pytest.fixture(scope="module")
def model_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("models") / "small.onnx")


@pytest.fixture(scope="module")
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


def a_service(path: Path, **options: Any) -> Service:
    models = [open_model(path, "small"), open_model(path, "other")]
    return Service(models, ServeSettings(**options))


@pytest.fixture(scope="module")
def service(model_path: Path) -> Iterator[Service]:
    service = a_service(model_path)
    yield service
    service.close()


@pytest.fixture(scope="module")
def ask(runner: asyncio.Runner, service: Service) -> Ask:
    return lambda *given, **named: runner.run(asked(service, *given, **named))


def as_rows(images: np.ndarray) -> bytes:
    return json.dumps({"images": images.tolist()}).encode()


def as_base64(images: np.ndarray) -> bytes:
    return json.dumps(
        {"images": [base64.b64encode(picture(image)).decode() for image in images]}
    ).encode()


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/octet-stream", IMAGES.tobytes()),
        ("application/json", as_rows(IMAGES)),
        ("application/json; charset=utf-8", as_base64(IMAGES)),
        multipart([picture(image) for image in IMAGES]),
        multipart([picture(image, "WEBP") for image in IMAGES]),
    ],
    ids=["levels", "rows", "base64", "files", "webp"],
)
@pytest.mark.parametrize("chunks", [1, 7])
def test_batches_of_every_kind_are_predicted_alike(
    content_type: str, body: bytes, chunks: int, ask: Ask
) -> None:
    answer = ask("/v1/predict", body, content_type, chunks=chunks)
    assert answer.status == 200
    assert answer.json["model"] == "small"
    found = answer.json["predictions"]
    assert len(found) == 3
    for image, prediction, p in zip(IMAGES, found, expected(IMAGES), strict=True):
        assert list(prediction["probabilities"]) == list(CLASSES)
        np.testing.assert_allclose(list(prediction["probabilities"].values()), p, atol=1e-5)
        assert prediction["label"] == CLASSES[p.argmax()]
        assert prediction["probability"] == max(prediction["probabilities"].values())
        assert prediction["distance"] == pytest.approx(image.mean() / 255, abs=1e-5)
        assert prediction["unusual"] == (image.mean() / 255 > 0.5)
    assert {each["unusual"] for each in found[1:]} >= {False}


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize("content_type", ["image/png", "application/x-www-form-urlencoded"])
def test_one_picture_is_decoded_by_what_it_is(kind: str, content_type: str, ask: Ask) -> None:
    ramp = np.tile(np.arange(0, 252, 9, dtype=np.uint8), (28, 1))
    answer = ask("/v1/predict", picture(ramp, kind), content_type)
    (prediction,) = answer.json["predictions"]
    found = list(prediction["probabilities"].values())
    np.testing.assert_allclose(found, expected(ramp[None])[0], atol=0.02)  # JPEG loses a little


def test_pictures_of_other_sizes_are_prepared_as_the_training_images_were(ask: Ask) -> None:
    drawing = np.full((90, 70), 255, np.uint8)
    drawing[20:70, 30:38] = 0
    (wanted,) = expected(prepare([drawing], "digit"))
    for query in ("", "?prepare=yes", "?prepare=auto&model=other"):
        (found,) = ask(f"/v1/predict{query}", picture(drawing), "image/png").json["predictions"]
        np.testing.assert_allclose(list(found["probabilities"].values()), wanted, atol=1e-5)
    refused = ask("/v1/predict?prepare=no", picture(drawing), "image/png")
    assert refused.status == 422
    assert "90 x 70 pixels where the network takes 28 x 28" in refused.json["error"]
    centred = ask("/v1/predict?prepare=yes", IMAGES.tobytes()).json["predictions"]
    np.testing.assert_allclose(
        [list(each["probabilities"].values()) for each in centred],
        expected(prepare(list(IMAGES), "digit")),
        atol=1e-5,
    )


def test_a_network_of_own_data_prepares_nothing(tmp_path: Path, runner: asyncio.Runner) -> None:
    facts = {"classes": FACTS["classes"], "image_shape": FACTS["image_shape"], "data": "my-set"}
    service = Service(
        [open_model(write_model(tmp_path / "own.onnx", facts), "own")], ServeSettings()
    )
    small = picture(np.zeros((9, 9), np.uint8))
    for query in ("", "?prepare=yes"):
        answer = runner.run(asked(service, f"/v1/predict{query}", small, "image/png"))
        assert answer.status == 422
    (found,) = runner.run(asked(service, body=IMAGES[0].tobytes())).json["predictions"]
    assert found["unusual"] is None  # without a threshold nothing is known
    service.close()


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_where_training_resized_its_pictures_so_does_the_service(
    kind: str, tmp_path: Path, runner: asyncio.Runner
) -> None:
    facts = {**FACTS, "data": "my-set", "preparation": "resized"}
    path = write_model(tmp_path / "own.onnx", facts)
    service = Service([open_model(path, "own")], ServeSettings())
    photo = np.random.default_rng(2).integers(0, 256, (50, 40), dtype=np.uint8)
    body = picture(photo, kind)
    wanted = expected(pixels.decode(body, "photo", (28, 28))[None])[0]  # as `train --size 28` reads
    for query in ("", "?prepare=yes"):
        answer = runner.run(asked(service, f"/v1/predict{query}", body, "image/png"))
        (found,) = answer.json["predictions"]
        np.testing.assert_allclose(list(found["probabilities"].values()), wanted, atol=1e-5)
    refused = runner.run(asked(service, "/v1/predict?prepare=no", body, "image/png"))
    assert refused.status == 422
    service.close()


def bomb(side: int) -> bytes:
    """A PNG of side x side black pixels in a few bytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    head = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    data = zlib.compress(b"\0" * 1000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


NESTED = b'{"images":' + b"[" * 100_000
REFUSED: dict[str, tuple[str, bytes, int, str]] = {
    "empty": ("image/png", b"", 400, "the body is empty"),
    "no type": ("", b"hello", 415, "the content type must be"),
    "text": ("text/plain", b"hello", 415, "the content type must be"),
    "no picture": ("image/png", b"hello", 422, "not a readable PNG, JPEG or WEBP picture"),
    "gif": ("image/gif", picture(IMAGES[0], "GIF"), 422, "not a readable PNG, JPEG or WEBP"),
    "cut off": ("image/png", picture(IMAGES[0])[:-400], 422, "the picture: not a readable image"),
    "bomb": ("image/png", bomb(30_000), 422, "not a readable PNG, JPEG or WEBP picture"),
    "large": ("image/png", bomb(5000), 413, "pictures of more than 16,777,216 pixels"),
    "large together": (*multipart([bomb(3000)] * 2), 413, "pictures of more than"),
    "levels": ("application/octet-stream", b"x" * 785, 422, "no whole number of images"),
    "many": ("application/octet-stream", b"x" * 784 * 257, 413, "257 images, of at most 256"),
    "many files": (*multipart([b"x"] * 257), 413, "more than 256 images"),
    "no json": ("application/json", b"{", 400, "the body is not JSON"),
    "bytes": ("application/json", b"\xff\xfe\xfd", 400, "the body is not JSON"),
    "nested": ("application/json", NESTED, 400, "the body is not JSON"),
    "digits": ("application/json", b"9" * 5000, 400, "the body is not JSON"),
    "list": ("application/json", b"[]", 422, "the JSON must be"),
    "none": ("application/json", b'{"images": []}', 422, "the JSON must be"),
    "ragged": ("application/json", b'{"images": [[[1, 2], [3]]]}', 422, "image 0 must be rows"),
    "fraction": ("application/json", b'{"images": [[[0.5]]]}', 422, "whole numbers from 0 to 255"),
    "high": ("application/json", b'{"images": [[[256]]]}', 422, "whole numbers from 0 to 255"),
    "negative": ("application/json", b'{"images": [[[-1]]]}', 422, "whole numbers from 0 to 255"),
    "huge": ("application/json", b'{"images": [[[1e999]]]}', 422, "whole numbers from 0"),
    "long": ("application/json", b'{"images": [[[%s]]]}' % (b"9" * 99), 422, "whole numbers"),
    "truth": ("application/json", b'{"images": [[[true]]]}', 422, "whole numbers from 0 to 255"),
    "no rows": ("application/json", b'{"images": [[]]}', 422, "image 0 must be rows"),
    "no columns": ("application/json", b'{"images": [[[], []]]}', 422, "image 0 must be rows"),
    "deep": ("application/json", b'{"images": [[[[1]]]]}', 422, "image 0 must be rows"),
    "mixed": ("application/json", b'{"images": ["", [[1]]]}', 422, "must be rows"),
    "no base64": ("application/json", b'{"images": ["\xc3\xb6"]}', 422, "a picture in base64"),
    "no boundary": ("multipart/form-data", b"--x", 400, "names no boundary"),
    "unfinished": ("multipart/form-data; boundary=x", b"--x\r\n", 400, "is cut off"),
    "no parts": ("multipart/form-data; boundary=x", b"hello", 400, "is damaged"),
    "a field": (
        "multipart/form-data; boundary=x",
        b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--x--\r\n',
        422,
        "every part of the multipart body must be a file",
    ),
    "headers": (
        "multipart/form-data; boundary=x",
        b"--x\r\n" + b"".join(b"X%d: 1\r\n" % i for i in range(99)) + b"\r\n1\r\n--x--\r\n",
        400,
        "is damaged",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_holds_no_images_is_refused_in_one_sentence(name: str, ask: Ask) -> None:
    content_type, body, status, sentence = REFUSED[name]
    answer = ask("/v1/predict", body, content_type)
    assert (answer.status, sentence in answer.json["error"]) == (status, True), answer
    assert "\n" not in answer.json["error"]
    assert "Traceback" not in answer.json["error"]


@pytest.mark.parametrize(
    ("path", "method", "headers", "status"),
    [
        ("/v1/predict?model=none", "POST", (), 404),
        ("/v1/predict?prepare=perhaps", "POST", (), 422),
        ("/v1/predict", "GET", (), 405),
        ("/v2", "GET", (), 404),
        ("/docs", "POST", (), 405),
        ("/healthz", "GET", ((b"host", b"evil.example"),), 421),
        ("/healthz", "GET", ((b"host", b""),), 421),
        ("/healthz", "GET", ((b"host", b"localhost"), (b"host", b"evil.example")), 400),
        ("/v1/predict", "POST", ((b"content-length", b"8388609"),), 413),
        ("/v1/predict", "POST", ((b"content-length", b"9" * 99),), 413),
    ],
)
def test_requests_that_are_not_answered(
    path: str, method: str, headers: tuple[tuple[bytes, bytes], ...], status: int, ask: Ask
) -> None:
    answer = ask(path, IMAGES.tobytes(), method=method, headers=headers)
    assert answer.status == status
    assert answer.json["error"]


@pytest.mark.parametrize("host", [b"127.0.0.1", b"127.0.0.1:80", b"[::1]:8000", b"LOCALHOST"])
def test_the_loopbacks_names_are_answered(host: bytes, ask: Ask) -> None:
    assert ask("/readyz", method="GET", headers=((b"host", host),)).status == 200


def test_a_body_longer_than_it_said_is_refused(ask: Ask) -> None:
    long = b"x" * ((8 << 20) + 1)
    for chunks in (1, 9):
        answer = ask("/v1/predict", long, headers=((b"content-length", b"784"),), chunks=chunks)
        assert answer.status == 413


def test_a_token_is_asked_for_everywhere_but_health_and_documents(
    model_path: Path, runner: asyncio.Runner
) -> None:
    service = a_service(model_path, token=TOKEN, host="0.0.0.0")

    def status(path: str, *headers: tuple[bytes, bytes]) -> int:
        method = "POST" if path == "/v1/predict" else "GET"
        body = IMAGES.tobytes()
        return runner.run(asked(service, path, body, method=method, headers=headers)).status

    right = (b"authorization", f"Bearer {TOKEN}".encode())
    for path in ("/v1/predict", "/v1/models", "/metrics", "/", "/nowhere"):
        assert status(path) == 401
        assert status(path, (b"authorization", b"Bearer " + TOKEN.encode()[:-1])) == 401
        assert status(path, (b"authorization", b"\xff\xfe")) == 401
        assert status(path, right) == (404 if path == "/nowhere" else 200)
    for path in ("/healthz", "/readyz", "/docs", "/openapi.json"):
        assert status(path) == 200
    assert status("/healthz", (b"host", b"any.example")) == 200  # not on the loopback
    service.close()


def test_too_much_at_a_time_is_told_to_come_back(model_path: Path, runner: asyncio.Runner) -> None:
    async def many(service: Service, n: int) -> list[Answered]:
        return await asyncio.gather(*[asked(service, body=IMAGES.tobytes()) for _ in range(n)])

    for limits in (Limits(queue=5), Limits(requests=3)):
        service = a_service(model_path, limits=limits)
        answers = runner.run(many(service, 20))
        assert {each.status for each in answers} == {200, 429}
        assert all(each.headers[b"retry-after"] for each in answers if each.status == 429)
        assert runner.run(asked(service, body=IMAGES.tobytes())).status == 200  # later
        service.close()


def test_requests_of_the_same_time_are_predicted_together(
    model_path: Path, runner: asyncio.Runner
) -> None:
    service = a_service(model_path, limits=Limits(batch=8))
    images = np.random.default_rng(2).integers(0, 256, (40, 28, 28), dtype=np.uint8)

    async def all_at_once() -> list[Answered]:
        singles = [asked(service, body=image.tobytes()) for image in images]
        return await asyncio.gather(*singles, asked(service, body=images.tobytes()))

    *singles, together = runner.run(all_at_once())
    assert [each.json["predictions"][0] for each in singles] == together.json["predictions"]
    metrics = runner.run(asked(service, "/metrics", method="GET")).body.decode()
    (n_batches,) = [line for line in metrics.splitlines() if 'images_count{model="small"}' in line]
    assert float(n_batches.split()[-1]) <= 8
    assert 'mnistlab_predictions_total{model="small"} 80.0' in metrics
    assert 'mnistlab_requests_total{path="/v1/predict",status="200"} 41.0' in metrics
    service.close()


def test_what_takes_too_long_or_fails_says_nothing_of_the_inside(
    model_path: Path,
    runner: asyncio.Runner,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    service = a_service(model_path, limits=Limits(request_s=0.05))
    batcher = service.served["small"]
    model = batcher.model

    class Slow:
        def run(self, *given: Any) -> Any:
            time.sleep(0.2)
            return model.session.run(*given)

    class Broken:
        def run(self, *given: Any) -> Any:
            raise RuntimeError("secret of the inside")

    batcher.model = model._replace(session=Slow())
    assert runner.run(asked(service, body=IMAGES.tobytes())).status == 503
    service.close()
    service = a_service(model_path)
    service.served["small"].model = model._replace(session=Broken())
    answer = runner.run(asked(service, body=IMAGES.tobytes()))
    assert (answer.status, b"secret" in answer.body) == (500, False)
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    (bug,) = [line for line in lines if "traceback" in line]
    assert "secret of the inside" in bug["traceback"]
    service.close()


def predicting() -> set[threading.Thread]:
    return {each for each in threading.enumerate() if each.name.startswith("predict")}


@pytest.mark.parametrize("turns", range(1, 9))
def test_a_replaced_network_answers_and_the_old_one_finishes(
    turns: int, model_path: Path, tmp_path: Path, runner: asyncio.Runner
) -> None:
    # Replaced while the body arrives (7 turns of the loop), or just before it is predicted.
    others = predicting()
    service = a_service(model_path)
    other = open_model(write_model(tmp_path / "small.onnx", sign=-1.0), "small")

    async def across() -> tuple[Answered, Answered]:
        before = asyncio.create_task(asked(service, body=IMAGES.tobytes(), chunks=7))
        for _ in range(turns):
            await asyncio.sleep(0)
        assert not before.done()
        service.replace(other)
        return await before, await asked(service, body=IMAGES.tobytes())

    before, after = (each.json["predictions"] for each in runner.run(across()))
    for old, new, p in zip(before, after, expected(IMAGES), strict=True):
        assert old["label"] == CLASSES[p.argmax()]
        assert new["label"] == CLASSES[p.argmin()]
    service.close()
    until = time.monotonic() + 20
    while (left := predicting() - others) and time.monotonic() < until:
        time.sleep(0.01)
    assert not left


def test_the_description_fits_the_answers(ask: Ask, service: Service) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    description = ask("/openapi.json", method="GET").json
    assert description["openapi"].startswith("3.1")
    assert set(description["paths"]) == set(service._routes)

    def check(content: Any, name: str) -> None:
        schema = {"$ref": f"#/components/schemas/{name}", "components": description["components"]}
        jsonschema.Draft202012Validator(schema).validate(content)

    check(ask(body=IMAGES.tobytes()).json, "Predictions")
    check(ask(body=b"").json, "Error")
    check(ask("/v1/models", method="GET").json, "Models")
    check(ask("/healthz", method="GET").json, "Status")
    check({"images": IMAGES.tolist()}, "Images")
    (first, _) = ask("/v1/models", method="GET").json["models"]
    assert (first["name"], first["classes"]) == ("small", list(CLASSES))
    assert (first["test_accuracy"], first["unusual_above"]) == (0.9, 0.5)


@pytest.mark.parametrize("path", ["/docs", "/"])
def test_pages_need_nothing_from_elsewhere(path: str, ask: Ask) -> None:
    answer = ask(path, method="GET")
    page = answer.body.decode()
    assert (answer.status, answer.headers[b"content-type"]) == (200, b"text/html; charset=utf-8")
    assert b"default-src 'none'" in answer.headers[b"content-security-policy"]
    assert "<script" not in page
    assert "http" not in page
    assert ("/v1/predict" in page) == (path == "/docs")


BYTES = st.binary(max_size=2000)
BODIES = st.one_of(
    BYTES,
    BYTES.map(lambda noise: picture(IMAGES[0])[:40] + noise),
    BYTES.map(lambda noise: picture(IMAGES[0], "JPEG")[:200] + noise),
    st.tuples(st.binary(max_size=60), st.integers(0, 500)).map(
        lambda cut: picture(IMAGES[0], "WEBP")[: cut[1]] + cut[0]
    ),
    st.lists(BYTES, max_size=4).map(lambda parts: multipart(parts)[1]),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    ).map(lambda content: json.dumps({"images": [content]}).encode()),
    st.lists(st.lists(st.integers(-1, 300), max_size=9), max_size=9).map(
        lambda rows: json.dumps({"images": [rows]}).encode()
    ),
)
KINDS = ["image/png", "application/octet-stream", "application/json", "", "text/plain"]
FORMS = ["multipart/form-data; boundary=cut", "multipart/form-data; boundary=\xff"]
TYPES = st.sampled_from([*KINDS, *FORMS]) | st.text(
    st.characters(max_codepoint=255, exclude_categories=["Cc"]), max_size=30
)
# The 10,000 of `python -m benchmarks.serving_abuse`, here fewer.
N_EXAMPLES = int(os.environ.get("MNISTLAB_SERVING_BODIES", "300"))


@settings(max_examples=N_EXAMPLES)
@given(body=BODIES, content_type=TYPES, prepare=st.sampled_from(["auto", "yes", "no"]))
def test_any_body_is_answered_or_refused(
    body: bytes, content_type: str, prepare: str, ask: Ask
) -> None:
    answer = ask(f"/v1/predict?prepare={prepare}", body, content_type)
    assert answer.status in (200, 400, 413, 415, 422)
    if answer.status == 200:
        for each in answer.json["predictions"]:
            assert sum(each["probabilities"].values()) == pytest.approx(1, abs=1e-4)
    else:
        assert list(answer.json) == ["error"]
        assert "Traceback" not in answer.json["error"]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"classes": None}, "classes: "),
        ({"classes": "3"}, "classes: "),
        ({"classes": '["a", "a", "b"]'}, "two classes have the same name"),
        ({"classes": '["a", "b"]'}, "one probability for each of its classes"),
        ({"image_shape": "[28, 29]"}, "its input is not images, uint8"),
        ({"image_shape": "[0, 99999]"}, "image_shape"),
        ({"image_shape": "[" * 10_000}, "image_shape"),
        ({"preparation": "shred"}, "preparation"),
        ({"unusual_above": "NaN"}, "unusual_above"),
        ({"test_accuracy": "2"}, "test_accuracy"),
    ],
)
def test_files_that_say_what_cannot_be_are_refused(
    changed: dict[str, str | None], said: str, tmp_path: Path
) -> None:
    facts = {name: value for name, value in (FACTS | changed).items() if value is not None}
    with pytest.raises(DataError, match=f"(?s)^{tmp_path}/m.onnx: .*{said}") as refused:
        open_model(write_model(tmp_path / "m.onnx", facts), "m")
    assert len(str(refused.value)) < 400


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("missing.onnx", "missing.onnx: no such file"),
        ("notes.txt", "notes.txt: neither the folder of a run nor an .onnx file"),
        ("noise.onnx --port 0", "noise.onnx: not an ONNX file that onnxruntime loads"),
        ("folder", "folder: no complete run: it has no result.json"),
        ("small.onnx small.onnx", "two models are called small"),
        ("small.onnx --host 0.0.0.0", "opens the service to other computers"),
        ("small.onnx --host 192.0.2.1 --anyone", "cannot listen on 192.0.2.1 port 8000"),
        ("small.onnx --token-file none", "none: holds no token"),
        ("small.onnx --token-file notes.txt", "notes.txt: a token has 16 to 4096"),
        ("small.onnx --port 0 --page notes.txt", "notes.txt: is no page that mnistlab export"),
        ("small.onnx --port 70000", "Invalid value for '--port'"),
    ],
)
def test_what_cannot_be_served_is_one_line(
    arguments: str,
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    write_model(tmp_path / "small.onnx")
    Path("notes.txt").write_text("short")
    Path("noise.onnx").write_bytes(b"\x08\x07noise")
    Path("folder").mkdir()
    assert run_command(["serve", *arguments.split()]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert "Traceback" not in error


def test_tokens_and_pages_come_from_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model_path: Path
) -> None:
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    assert read_token(tmp_path / "token") == TOKEN
    monkeypatch.setenv("MNISTLAB_TOKEN", TOKEN)
    assert read_token(None) == TOKEN
    monkeypatch.setenv("MNISTLAB_TOKEN", "")
    with pytest.raises(DataError, match="MNISTLAB_TOKEN: a token has"):
        read_token(None)

    assert page_of(sources_of([model_path]), None) is None
    beside = model_path.with_suffix(".html")
    drawing = MARK + b"<title>Draw - mnistlab</title>"
    for content, shown in ((drawing, drawing), (b"<title>Draw - mine", None), (MARK, None)):
        beside.write_bytes(content)
        assert page_of(sources_of([model_path]), None) == shown
    beside.unlink()
    with pytest.raises(RunError, match="no complete run"):
        sources_of([tmp_path])
