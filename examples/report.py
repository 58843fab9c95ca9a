"""Reports a run over plain HTTP, with nothing but Python's standard library.

    python3 examples/report.py [http://localhost:8765]

TELEMETRY_API_URL is the address where none is given, and TELEMETRY_API_AUTH_TOKEN is sent where it is set. Whatever gets no answer can simply be sent again:
a run whose event_id is known is not stored twice.
"""

import json
import os
import sys
import urllib.error
import urllib.parse
import urllib.request
import uuid
from datetime import datetime, timezone

URL = sys.argv[1] if len(sys.argv) > 1 else os.environ.get("TELEMETRY_API_URL", "http://localhost:8765")


def call(method, path, body=None):
    headers = {"Content-Type": "application/json"}
    token = os.environ.get("TELEMETRY_API_AUTH_TOKEN")
    if token:
        headers["Authorization"] = f"Bearer {token}"
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(URL + path, data, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            return json.load(response)
    except urllib.error.HTTPError as error:
        sys.exit(f"{method} {path}: {error.code} {error.read().decode()}")
    except urllib.error.URLError as error:
        sys.exit(f"No service at {URL} ({error.reason}). Is it running? npm start")


def now():
    return datetime.now(timezone.utc).isoformat()


event_id = str(uuid.uuid4())
run = {
    "event_id": event_id,
    "run_id": f"{datetime.now(timezone.utc):%Y%m%dT%H%M%SZ}-python-example-{event_id[:8]}",
    "agent_name": "python-example",
    "job_type": "count_words",
    "start_time": now(),
}
print(call("POST", "/api/v1/runs", run))

words = len(__doc__.split())

end = {"status": "success", "end_time": now(), "items_succeeded": words, "output_summary": f"{words} words"}
print(call("PATCH", f"/api/v1/runs/{event_id}", end))

query = urllib.parse.urlencode({"agent_name": "python-example", "limit": 3})
for stored in call("GET", f"/api/v1/runs?{query}"):
    print(stored["run_id"], stored["status"], stored["items_succeeded"])
