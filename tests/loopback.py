"""A stand-in for Azure on the loopback interface, over HTTPS: sign-in, ARM lists, Resource Graph, faults.

It serves the rows it is given as Azure would, page by page, notes what it is asked, and misbehaves on demand.
"""

from __future__ import annotations

import base64
import contextlib
import json
import re
import socket
import ssl
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlencode, urlsplit

import trustme

TENANT, PERSON = "11111111-2222-3333-4444-555555555555", "99999999-8888-7777-6666-555555555555"
SECRET = "the-client-secret-of-the-test"  # noqa: S105 - it opens nothing
_COLLECTION = re.compile(r"(?i)^/subscriptions/([^/]+)(?:/resourcegroups/[^/]+)?/providers/(.+)$")
_CODES = {
    "403": "AuthorizationFailed",
    "404": "SubscriptionNotFound",
    "409": "MissingSubscriptionRegistration",
}


@dataclass
class Fault:
    """What goes wrong, for which requests, how often, after how many that go well."""

    match: str
    do: str
    times: int = 1
    after: int = 0
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Call:
    """A request that was answered, with the number of those under way at its start."""

    method: str
    path: str
    query: str
    status: int
    busy: int
    at: float
    api_version: str = ""


class Loopback:
    """The stand-in; `rows` are ARM resources, which it lists by the type and place in their ids."""

    def __init__(self, rows, *, page_rows=100, latency=0.0):
        self.rows = [row if "type" in row else {**row, "type": "Microsoft.Compute/skus"} for row in rows]
        self.page_rows, self.latency = page_rows, latency
        self.faults: list[Fault] = []
        self.groups: dict[str, list[str]] = {}
        self.calls: list[Call] = []
        self.tokens: dict[str, float] = {}
        self.token_seconds = 3600
        self.challenge: dict[str, str] = {}
        self.on_call = None  # called with the number of calls so far
        self.quota: tuple[int, float] | None = None  # queries per window of seconds
        self.window_ends, self.used = 0.0, 0
        self.versions: list[str] = []  # which this cloud has of the APIs for compute; empty means any
        self.refusal = "NoRegisteredProviderFound"
        self.ahead = 0.0  # by how many seconds this clock is ahead, where it is told
        self.busy = self.peak = 0
        self.lock = threading.Lock()
        self.sorted: dict[tuple[str, str], list[dict]] = {}
        self.by_place: dict[tuple[str, str], list[dict]] = {}
        self.by_type: dict[str, list[dict]] = {}
        self.by_id: dict[str, dict] = {}
        for row in self.rows:
            self._index(row)
        self.ca = trustme.CA()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"azure": self}))
        self.server.daemon_threads = True
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.ca.issue_cert("localhost").configure_cert(context)
        self.server.socket = context.wrap_socket(
            self.server.socket, server_side=True, do_handshake_on_connect=False
        )
        self.url = f"https://localhost:{self.server.server_address[1]}"

    def _index(self, row):
        self.by_type.setdefault(row["type"].lower(), []).append(row)
        self.by_id[row.get("id", "").lower()] = row
        found = _COLLECTION.match(row.get("id", ""))
        if found:
            where = row["id"].lower().rpartition("/")[0]
            self.by_place.setdefault(("child", where), []).append(row)
            self.by_place.setdefault((found[1].lower(), row["type"].lower()), []).append(row)

    @property
    def subscriptions(self):
        return [row["subscriptionId"] for row in self.by_type.get("microsoft.resources/subscriptions", [])]

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def environment(self, folder):
        """Give the environment by which the SDK trusts this server and signs in to it."""
        bundle = folder / "ca.pem"
        self.ca.cert_pem.write_to_path(str(bundle))
        return {
            "REQUESTS_CA_BUNDLE": str(bundle),
            "AZURE_TENANT_ID": TENANT,
            "AZURE_CLIENT_ID": "22222222-2222-3333-4444-555555555555",
            "AZURE_CLIENT_SECRET": SECRET,
            "AZURE_TOKEN_CREDENTIALS": "EnvironmentCredential",
        }

    def break_(self, match, do, **how):
        self.faults.append(Fault(match, do, **how))

    def asked(self, text="", status=None):
        """Give the calls to ARM whose path or query holds a text."""
        calls = [c for c in self.calls if "oauth2" not in c.path and "openid" not in c.path]
        return [c for c in calls if text in c.path + c.query and status in (None, c.status)]

    def fault_for(self, text):
        with self.lock:
            for fault in self.faults:
                if fault.times and re.search(fault.match, text, re.IGNORECASE):
                    if fault.after:
                        fault.after -= 1
                        continue
                    fault.times -= 1
                    return fault
        return None

    def listed(self, path):
        """Give the rows of a list, or None where there is no such list."""
        found = _COLLECTION.match(path)
        if not found:
            return None
        sub, rest = found[1].lower(), found[2].lower()
        if rest.endswith("/keys"):  # a list of keys leaves out what they are
            return [_listed_key(row) for row in self.by_place.get(("child", path.lower()), [])]
        if rest.count("/") == 1:
            return (
                self.by_type.get(rest, []) if rest.endswith("/skus") else self.by_place.get((sub, rest), [])
            )
        return self.by_place.get(("child", path.lower()), [])

    def answered(self, body):
        """Give the rows that a Resource Graph query asks for, in the order it asks for."""
        assert body["query"].endswith("| order by id asc")
        kind = re.search(r"type =~ '([^']+)'", body["query"])[1].lower()
        wanted = body.get("subscriptions")
        if groups := body.get("managementGroups"):
            wanted = [one for group in groups for one in self.groups[group]]
        rows = self.by_type.get(kind, [])
        if wanted is not None and (kind, str(wanted)) not in self.sorted:
            rows = [row for row in rows if row["id"].split("/")[2].lower() in wanted]
        if (kind, str(wanted)) not in self.sorted:
            ordered = sorted(rows, key=lambda row: row["id"])
            self.sorted[kind, str(wanted)] = [row | {"type": kind} for row in ordered]
        return self.sorted[kind, str(wanted)]


class _Handler(BaseHTTPRequestHandler):
    azure: Loopback
    protocol_version = "HTTP/1.1"
    timeout = 30

    def setup(self):
        super().setup()
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def handle(self):
        # A client that has seen enough, or does not trust us, is no fault of the server.
        with contextlib.suppress(OSError):
            super().handle()

    def log_message(self, *_):
        pass

    def do_GET(self):
        self._serve(b"")

    def do_POST(self):
        self._serve(self.rfile.read(int(self.headers.get("Content-Length") or 0)))

    def _serve(self, body):
        azure, parts = self.azure, urlsplit(self.path)
        if "oauth2" in parts.path or "openid" in parts.path:
            return self._sign_in(parts.path)
        with azure.lock:
            azure.busy += 1
            azure.peak, busy = max(azure.peak, azure.busy), azure.busy
        started = time.monotonic()
        try:
            status = self._too_new(parts) or self._arm(parts, body)
        finally:
            with azure.lock:
                azure.busy -= 1
        query = json.loads(body)["query"] if body else parts.query
        version = parse_qs(parts.query).get("api-version", [""])[0]
        azure.calls.append(Call(self.command, parts.path, query, status, busy, started, version))
        return None

    def _sign_in(self, path):
        azure = self.azure
        if "openid" in path:
            tenant = f"{azure.url}/{TENANT}"
            reply = {
                "token_endpoint": f"{tenant}/oauth2/v2.0/token",
                "authorization_endpoint": f"{tenant}/oauth2/v2.0/authorize",
                "issuer": f"{tenant}/v2.0",
            }
            return self._send(200, reply)
        if azure.fault_for("sign-in"):
            return self._send(401, {"error": "invalid_client", "error_description": "AADSTS7000215: no."})
        token = _token(len(azure.tokens))
        azure.tokens[token] = time.monotonic() + azure.token_seconds
        return self._send(
            200, {"token_type": "Bearer", "expires_in": azure.token_seconds, "access_token": token}
        )

    def _too_new(self, parts):
        """Refuse a version that this cloud does not have."""
        has = self.azure.versions
        asked = parse_qs(parts.query).get("api-version", [""])[0]
        if not has or "/microsoft.compute/" not in parts.path.lower() or asked in has:
            return 0
        words = f"The supported api-versions are '{', '.join(has)}'."
        return self._send(400, {"error": {"code": self.azure.refusal, "message": words}})

    def _arm(self, parts, body):
        azure = self.azure
        time.sleep(azure.latency)
        if azure.on_call:
            azure.on_call(len(azure.calls))
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        if azure.tokens.get(token, 0) < time.monotonic():
            return self._refuse(401, "ExpiredAuthenticationToken", azure.challenge)
        fault = azure.fault_for(f"{parts.path}?{parts.query} {body.decode()}")
        if fault and fault.do.isdigit():
            return self._refuse(int(fault.do), _CODES.get(fault.do, "TooMany"), fault.headers)
        if fault and fault.do == "drop":
            self.close_connection = True
            self.request.close()
            return 0
        if fault and fault.do == "hang":
            time.sleep(30)
        reply, headers = self._graph(json.loads(body)) if body else (self._list(parts), {})
        if fault and fault.do == "raw":
            reply = fault.headers["body"].encode()
        if reply is None:
            return self._refuse(404, "ResourceNotFound")
        if headers is None:
            return self._refuse(429, "RateLimiting", reply)
        if fault and fault.do == "bend":
            reply |= json.loads(fault.headers["reply"])
            headers |= {name: value for name, value in fault.headers.items() if name != "reply"}
        cut = fault.do if fault and fault.do in ("cut", "short") else ""
        return self._send(200, reply, headers, cut)

    def _list(self, parts):
        azure, asked = self.azure, parse_qs(parts.query)
        if asked.get("$expand") == ["restorePoints"]:
            rows = azure.by_place.get(("child", f"{parts.path.lower()}/restorepoints"), [])
            return {"id": parts.path, "properties": {"restorePoints": rows}}
        if parts.path.count("/") % 2 == 0:  # a resource, not a list of them
            return azure.by_id.get(parts.path.lower())
        rows, start = azure.listed(parts.path), int(asked.get("$skiptoken", ["0"])[0])
        if rows is None:
            return None
        reply = {"value": rows[start : start + azure.page_rows]}
        if start + azure.page_rows < len(rows):
            following = {k: v[0] for k, v in asked.items()} | {"$skiptoken": start + azure.page_rows}
            reply["nextLink"] = f"{azure.url}{parts.path}?{urlencode(following)}"
        return reply

    def _graph(self, body):
        azure, headers = self.azure, {}
        if azure.quota:
            allowed, seconds = azure.quota
            with azure.lock:
                now = time.monotonic()
                if now >= azure.window_ends:
                    azure.window_ends, azure.used = now + seconds, 0
                over = azure.used >= allowed
                azure.used += not over
                left, resets = allowed - azure.used, azure.window_ends - now
            headers = {
                "x-ms-user-quota-remaining": str(left),
                "x-ms-user-quota-resets-after": f"00:00:{resets:06.3f}",
            }
            if over:
                return headers | {"Retry-After": f"{resets:.3f}"}, None
        rows, options = azure.answered(body), body["options"]
        start = int(options.get("$skipToken", "token-0").removeprefix("token-"))
        page = rows[start : start + min(azure.page_rows, options["$top"])]
        reply = {"totalRecords": len(rows), "count": len(page), "data": page, "resultTruncated": "false"}
        if start + len(page) < len(rows):
            reply["$skipToken"] = f"token-{start + len(page)}"
        return reply, headers

    def _refuse(self, status, code, headers=None):
        # Servers do echo what they were sent. The SDK reads the provider to register between the quotes.
        message = f"{self.headers.get('Authorization', '')} is not registered for 'Microsoft.Compute'"
        return self._send(status, {"error": {"code": code, "message": message}}, headers)

    def _send(self, status, reply, headers=None, cut=""):
        data = reply if isinstance(reply, bytes) else json.dumps(reply).encode()
        lines = {"Content-Type": "application/json", "Content-Length": str(len(data)), **(headers or {})}
        if self.azure.ahead:
            lines["Date"] = formatdate(time.time() + self.azure.ahead, usegmt=True)
        if cut == "short":  # whole to HTTP, yet not to JSON
            lines["Content-Length"] = str(len(data) // 2)
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        whole = f"HTTP/1.1 {status} -\r\n{head}\r\n".encode() + (data[: len(data) // 2] if cut else data)
        self.wfile.write(whole)
        if cut == "cut":
            self.close_connection = True
        return status


def _token(number):
    def part(value):
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    return f"{part({'alg': 'none'})}.{part({'tid': TENANT, 'oid': PERSON, 'jti': number})}.signature-{number}"


def _listed_key(row):
    """Give a key as a list shows it: its attributes and its address, neither type nor version."""
    address = row.get("properties", {}).get("keyUri")
    return row | {"properties": {"attributes": row["properties"].get("attributes", {}), "keyUri": address}}


def counted(rows):
    """Count rows by type, in lower case."""
    return Counter(row["type"].lower() for row in rows)
