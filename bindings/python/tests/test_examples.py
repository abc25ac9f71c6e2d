"""The examples, run as a user runs them."""

import asyncio
import os
import subprocess
import sys
import threading
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
EXAMPLES = ROOT / "bindings" / "python" / "examples"
DATA = {"data": ROOT / "examples" / "data", "edge": ROOT / "examples" / "tests" / "edge"}


def run(name, *arguments, **environment):
    return subprocess.run(
        [sys.executable, str(EXAMPLES / name), *map(str, arguments)],
        capture_output=True,
        env={**os.environ, **environment},
        timeout=120,
    )


def test_quickstart_prints_the_same_when_it_runs_twice(tmp_path):
    first = run("quickstart.py", TMPDIR=str(tmp_path))
    assert first.returncode == 0, first.stderr.decode()
    assert b"Mean delays by carrier:" in first.stdout and b"did not arrive" in first.stdout
    assert run("quickstart.py", TMPDIR=str(tmp_path)).stdout == first.stdout


@pytest.mark.parametrize("data", DATA)
def test_flights_reports_what_is_expected_to_the_byte(data, url):
    expected = (ROOT / "examples" / "tests" / "expected" / f"{data}.json").read_bytes()
    answer = run("flights.py", DATA[data], url, "--json")
    assert answer.stdout == expected, answer.stderr.decode()
    if not url.startswith("memory"):
        assert run("flights.py", DATA[data], url, "--json").stdout == expected
        again = run("flights.py", DATA[data], url).stdout.decode()
        assert "of which 0 were new" in again and "Busiest routes" in again


def test_flights_reads_zipped_tables_and_says_what_is_wrong(tmp_path):
    directory = tmp_path / "zipped"
    directory.mkdir()
    for table in ("airlines", "airports", "planes", "weather"):
        (directory / f"{table}.csv").write_bytes((DATA["data"] / f"{table}.csv").read_bytes())
    with zipfile.ZipFile(directory / "flights.csv.zip", "w") as archive:
        archive.write(DATA["data"] / "flights.csv", "flights.csv")
    expected = (ROOT / "examples" / "tests" / "expected" / "data.json").read_bytes()
    assert run("flights.py", directory, "memory:", "--json").stdout == expected
    assert run("flights.py").returncode == 2
    wrong = run("flights.py", directory, "nothing://x")
    assert wrong.returncode == 1 and b"nothing" in wrong.stderr


@pytest.fixture
def client(tmp_path, monkeypatch):
    testclient = pytest.importorskip("fastapi.testclient")
    monkeypatch.setenv("LIBRARY_URL", f"sqlite://{tmp_path}/library.db?synchronous=normal")
    monkeypatch.syspath_prepend(str(EXAMPLES))
    # its models are of the global collection, which each test begins with anew
    monkeypatch.delitem(sys.modules, "library_api", raising=False)
    import library_api

    with testclient.TestClient(library_api.app) as client:
        yield client


def test_the_web_api(client):
    added = client.post("/books", json={"title": "Earthsea", "isbn": "1", "pages": 200})
    assert added.status_code == 201 and added.json() == {
        "title": "Earthsea",
        "isbn": "1",
        "pages": 200,
        "id": 1,
    }
    batch = client.post("/books/batch", json=[{"title": f"B{index}", "isbn": f"b{index}"} for index in range(25)])
    assert [book["id"] for book in batch.json()] == list(range(2, 27))
    refused = client.post("/books/batch", json=[{"title": "x", "isbn": "new"}, {"title": "y", "isbn": "1"}])
    assert refused.status_code == 409 and refused.json()["fields"] == ["isbn"]
    page = client.get("/books", params={"page": 1, "size": 20}).json()
    assert page["total"] == 26 and len(page["books"]) == 6
    assert client.get("/books", params={"title": "EARTH", "min_pages": 100}).json()["total"] == 1
    assert client.get("/books", params={"size": 1000}).status_code == 422
    assert client.get("/books/1").json()["title"] == "Earthsea"
    assert client.get("/books/99").status_code == 404
    assert client.patch("/books/1", json={"pages": 201}).json()["pages"] == 201
    assert client.patch("/books/99", json={"pages": 201}).status_code == 404
    assert client.post("/books", json={"title": 1}).status_code == 422
    assert client.delete("/books/1").status_code == 204 and client.delete("/books/1").status_code == 404
    assert set(client.get("/openapi.json").json()["components"]["schemas"]["Book"]["properties"]) == {
        "title",
        "isbn",
        "pages",
        "id",
    }


def test_the_web_api_under_load(client):
    def work(worker):
        for index in range(25):
            assert client.post("/books", json={"title": f"t{index}", "isbn": f"{worker}-{index}"}).status_code == 201
            assert client.get("/books", params={"size": 5}).status_code == 200

    with ThreadPoolExecutor(8) as workers:
        list(workers.map(work, range(8)))
    assert client.get("/books").json()["total"] == 200


@pytest.fixture
def served(stored_url, monkeypatch):
    """The web API on a port of loopback."""
    uvicorn = pytest.importorskip("uvicorn")
    monkeypatch.setenv("LIBRARY_URL", stored_url)
    monkeypatch.syspath_prepend(str(EXAMPLES))
    # its models are of the global collection, which each test begins with anew
    monkeypatch.delitem(sys.modules, "library_api", raising=False)
    import library_api

    server = uvicorn.Server(uvicorn.Config(library_api.app, port=0, log_level="warning"))
    serving = threading.Thread(target=server.run)
    serving.start()
    while not server.started and serving.is_alive():
        time.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    serving.join(30)
    assert not serving.is_alive()


async def test_the_web_api_answers_many_clients_on_loopback(served):
    import httpx

    async def client_of(number):
        async with httpx.AsyncClient(base_url=served, timeout=60) as client:
            for index in range(10):
                book = {"title": f"title {index}", "isbn": f"{number}-{index}"}
                added = await client.post("/books", json=book)
                assert added.status_code == 201 and (await client.post("/books", json=book)).status_code == 409
                key = added.json()["id"]
                assert (await client.get(f"/books/{key}")).json()["isbn"] == book["isbn"]
                assert (await client.patch(f"/books/{key}", json={"pages": index})).json()["pages"] == index
                assert (await client.get("/books", params={"title": "TITLE", "size": 3})).status_code == 200

    await asyncio.gather(*(client_of(number) for number in range(16)))
    async with httpx.AsyncClient(base_url=served) as client:
        assert (await client.get("/books")).json()["total"] == 160
