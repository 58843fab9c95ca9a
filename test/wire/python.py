"""What Python itself makes of the answers: python.py <url>. Exit 0: all went as it must; else it says what did not."""

import json
import sys
import urllib.error
import urllib.parse
import urllib.request

URL = sys.argv[1]
RUNS = "/api/v1/runs"
NAN, INFINITY = float("nan"), float("inf")
BASE = {"agent_name": "python", "job_type": "odd", "start_time": "2026-01-10T12:00:00Z"}


def ask(method, path, body=None):
    """Status and parsed body; what comes must be UTF-8, strict JSON, and writable as UTF-8 again."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(URL + path, data, {"Content-Type": "application/json"}, method=method)
    try:
        answer = urllib.request.urlopen(request, timeout=10)
    except urllib.error.HTTPError as error:
        answer = error
    with answer:
        parsed = json.loads(answer.read().decode("utf-8"), parse_constant=refuse)
        # json.loads takes half an emoji; whoever prints or stores it fails here.
        json.dumps(parsed, ensure_ascii=False).encode("utf-8")
        return answer.status, parsed


def refuse(word):
    raise ValueError(f"the answer holds {word}, which is no JSON")


def a_run(event_id, **fields):
    return {"event_id": event_id, "run_id": event_id, **BASE, **fields}


def same(what, got, wanted):
    if got != wanted:
        sys.exit(f"{what}: {got!r}, not {wanted!r}")


odd = {"loss": NAN, "best": [INFINITY, -INFINITY], "word": "NaN", "cut": "cut \ud83d", "half \ude00": 1, "whole": "🦀"}
mended = {"loss": None, "best": [None, None], "word": "NaN", "cut": "cut \ufffd", "half \ufffd": 1, "whole": "🦀"}
same("POST", ask("POST", RUNS, a_run("odd", metrics_json=odd, output_summary="cut \ud83d"))[0], 201)
status, run = ask("GET", f"{RUNS}/odd")
same("the run", (status, run["metrics_json"], run["output_summary"]), (200, mended, "cut \ufffd"))
status, counts = ask("POST", f"{RUNS}/batch", [a_run(f"b{n}", metrics_json={"n": NAN if n == 7 else n}) for n in range(300)])
same("a batch", (status, counts["inserted"], counts["errors"]), (200, 300, []))
same("PATCH", ask("PATCH", f"{RUNS}/odd", {"status": "success", "context_json": odd, "duration_ms": NAN})[0], 200)
same("a wrong value, shown again", ask("POST", RUNS, a_run("odd2", status="cut \ud83d"))[0], 422)
same("an id of half an emoji", ask("POST", RUNS, a_run("half \ud83d"))[0], 422)
for path in ["/metrics", "/api/v1/metadata", "/health", "/openapi.json", f"{RUNS}?limit=1000"]:
    same(path, ask("GET", path)[0], 200)
same("who was stored", {run["event_id"] for run in ask("GET", f"{RUNS}?limit=1000")[1]}, {"odd", *(f"b{n}" for n in range(300))})
