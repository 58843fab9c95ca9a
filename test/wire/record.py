"""Records what Python's HTTP libraries put on the wire, byte by byte: python3 test/wire/record.py

A story as agents of the predecessor tell it (the calls are written from its contract, for its own program is not here)
is sent to a socket of this script by urllib, and by requests where that is installed. Each request becomes a file,
`<library>/<number>-<name>.http`; only the port in `Host` is changed. `wire.test.ts` plays the files to the service.
"""

import json
import pathlib
import socket
import threading
import urllib.error
import urllib.parse
import urllib.request

try:
    import requests
except ImportError:
    requests = None

HERE = pathlib.Path(__file__).parent
RUNS = "/api/v1/runs"
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"


def a_run(event_id, **fields):
    """As the predecessor's client writes a run: what it does not know is None."""
    run = {"event_id": event_id, "run_id": f"20260110T120000Z-translator-{event_id}", "agent_name": "translator",
           "job_type": "translate_posts", "status": "running", "schema_version": 6,
           "created_at": "2026-01-10T12:00:00+00:00", "start_time": "2026-01-10T12:00:00.123456+00:00", "end_time": None,
           "items_discovered": 0, "items_succeeded": 0, "items_failed": 0, "items_skipped": 0, "duration_ms": 0,
           "input_summary": None, "output_summary": "Übersetzt: 日本語 🦀", "error_summary": None,
           "metrics_json": None, "context_json": None, "git_repo": "git@github.com:acme/site.git", "api_posted": False}
    return {**run, **fields}


def story(name):
    """Name, method, path, parameters, body."""
    one, two, three = (f"{name}-{number}" for number in (1, 2, 3))
    commit = {"commit_hash": "9f1c2d3e4a5b", "commit_author": "Ada <ada@example.com>", "commit_timestamp": "2026-01-10T12:04:00+00:00"}
    yield "health", "GET", "/health", None, None
    yield "start", "POST", RUNS, None, a_run(one)
    yield "start-again", "POST", RUNS, None, a_run(one)
    yield "end", "PATCH", f"{RUNS}/{one}", None, {
        "status": "completed", "end_time": "2026-01-10T12:03:20.5+00:00", "items_succeeded": 10, "error_summary": None,
        "metrics_json": {"tokens": 1200, "loss": 0.25}}
    yield "batch", "POST", f"{RUNS}/batch", None, [a_run(two), a_run(three, status="failed", error_summary="Boom")]
    # After an outage everything that was buffered goes again, as it was written to the buffer.
    yield "sync", "POST", f"{RUNS}/batch", None, [
        a_run(one), a_run(f"{name}-4", metrics_json={"loss": float("nan"), "best": float("-inf")}),
        a_run(f"{name}-5", context_json={"output": "cut \ud83d"}), a_run(f"{name}-6", items_failed=-1)]
    for source in ("manual", "llm", "ci"):
        yield f"commit-{source}", "POST", f"{RUNS}/{one}/associate-commit", None, {**commit, "commit_source": source}
    yield "commit-unknown", "POST", f"{RUNS}/{one}/associate-commit", None, {**commit, "commit_source": "human"}
    yield "start-unknown-source", "POST", RUNS, None, a_run(f"{name}-7", git_commit_source="human")
    yield "stale", "PATCH", f"{RUNS}/{two}", None, {
        "status": "cancelled", "end_time": "2026-01-10T18:00:00+00:00",
        "error_summary": "Stale run cleaned up (created at 2026-01-10T12:00:00+00:00)"}
    yield "list", "GET", RUNS, [("agent_name", "translator"), ("status", "success"), ("status", "cancelled"),
                                ("created_after", "2026-01-10T13:00:00+02:00"), ("limit", 10)], None
    yield "list-by-hand", "GET", f"{RUNS}?created_after=2026-01-10T13:00:00+02:00&limit=10", None, None
    yield "list-bad-status", "GET", RUNS, [("status", "no such")], None
    yield "run", "GET", f"{RUNS}/{one}", None, None
    yield "no-run", "GET", f"{RUNS}/{name}-none", None, None
    yield "commit-url", "GET", f"{RUNS}/{one}/commit-url", None, None
    # Who was taken for dead comes to an end after all, and says nothing of errors.
    yield "end-after-stale", "PATCH", f"{RUNS}/{two}", None, {
        "status": "success", "end_time": "2026-01-10T19:00:00+00:00", "items_succeeded": 3, "error_summary": None}
    yield "run-after-stale", "GET", f"{RUNS}/{two}", None, None
    yield "metadata", "GET", "/api/v1/metadata", None, None
    yield "metrics", "GET", "/metrics", None, None


def by_requests(url, method, path, parameters, body):
    # requests refuses NaN in `json=`; whoever sends it writes the text.
    data = {} if body is None else {"data": json.dumps(body), "headers": {"Content-Type": "application/json"}}
    try:
        if body is not None:
            json.dumps(body, allow_nan=False)
            data = {"json": body}
    except ValueError:
        pass
    requests.request(method, url + path, params=parameters, timeout=10, **data)


def by_urllib(url, method, path, parameters, body):
    query = "?" + urllib.parse.urlencode(parameters) if parameters else ""
    data = None if body is None else json.dumps(body).encode()
    headers = {} if body is None else {"Content-Type": "application/json"}
    urllib.request.urlopen(urllib.request.Request(url + path + query, data, headers, method=method), timeout=10).read()


def received(server):
    """One request, as it comes: its head, then as many bytes as that says."""
    connection, _ = server.accept()
    with connection:
        data = b""
        while b"\r\n\r\n" not in data:
            data += connection.recv(65536)
        head, _, body = data.partition(b"\r\n\r\n")
        lengths = [line.split(b":")[1] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
        while len(body) < int(lengths[0] if lengths else 0):
            body += connection.recv(65536)
        connection.sendall(ANSWER)
        return head + b"\r\n\r\n" + body


def record(name, send):
    folder = HERE / name
    folder.mkdir(exist_ok=True)
    with socket.create_server(("127.0.0.1", 0)) as server:
        host = f"127.0.0.1:{server.getsockname()[1]}"
        for number, (what, *call) in enumerate(story(name), 1):
            taken = []
            thread = threading.Thread(target=lambda: taken.append(received(server)))
            thread.start()
            send(f"http://{host}", *call)
            thread.join()
            text = taken[0].replace(host.encode(), b"127.0.0.1:8765", 1)
            (folder / f"{number:02}-{what}.http").write_bytes(text)


record("urllib", by_urllib)
if requests:
    record("requests", by_requests)
else:
    print("requests is not installed: its files stay as they are")
