"""Azure as `collect` sees it: asked page by page, with each refusal put into words.

The SDK's clients share one pipeline, made here. It leaves out two of their usual policies: the one that
registers a missing resource provider, because a reader must not change the tenant, and those that log
requests. Redirects are not followed, and no page is fetched from another host, so the token stays with Azure.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, cast
from urllib.parse import quote

from azure.core.exceptions import AzureError, ClientAuthenticationError, HttpResponseError
from azure.core.pipeline import Pipeline
from azure.core.pipeline.policies import RequestIdPolicy, UserAgentPolicy
from azure.core.pipeline.transport import RequestsTransport
from azure.core.rest import HttpRequest
from azure.mgmt.compute import ComputeManagementClient
from azure.mgmt.core.policies import ARMChallengeAuthenticationPolicy
from azure.mgmt.keyvault import KeyVaultManagementClient
from azure.mgmt.resourcegraph import ResourceGraphClient

from diskenc_analysis import __version__
from diskenc_analysis.live_asks import Ask, dig
from diskenc_analysis.live_gate import Gate, Patience
from diskenc_analysis.live_pages import FaultError, Met, Page, beside, checked, rows_of
from diskenc_analysis.live_sign_in import Place
from diskenc_analysis.live_versions import REFUSED, Versions, named

_UNAUTHORIZED, _FORBIDDEN = 401, 403
#: A subscription holds nothing of a provider that is not registered in it: Azure sees to that.
_UNREGISTERED = "MissingSubscriptionRegistration"
_PAGE_ROWS = 1000
_LIMIT_HIT = "x-ms-tenant-subscription-limit-hit"
_READ_TIMEOUT = 120
_CIRCLE = "the pages go round in a circle"


class Azure:
    """A signed-in reader of Azure.

    Parameters
    ----------
    credential : azure.core.credentials.TokenCredential
        Who reads.
    place : Place
        Where Azure is.
    gate : Gate
        Bounds the calls.
    retries : int
        How often a call that failed is tried again; throttled ones are not counted.
    """

    def __init__(self, credential: Any, place: Place, gate: Gate, retries: int = 6) -> None:
        self._place = place
        self._pipeline: Pipeline[Any, Any] = Pipeline(
            RequestsTransport(read_timeout=_READ_TIMEOUT),
            [
                RequestIdPolicy(),
                UserAgentPolicy(f"diskenc/{__version__}"),
                Patience(gate, retries),
                gate,
                ARMChallengeAuthenticationPolicy(credential, place.scope),
            ],
        )
        common: dict[str, Any] = {
            "base_url": place.endpoint,
            "credential_scopes": [place.scope],
            "pipeline": self._pipeline,
        }
        self._clients: dict[str, Any] = {
            # The paths name the subscription, so these clients need none of their own.
            "compute": ComputeManagementClient(credential, "-", **common),
            "keyvault": KeyVaultManagementClient(credential, "-", **common),
        }
        self._graph = ResourceGraphClient(credential, **common)
        self._versions = Versions()

    def close(self) -> None:
        """Close the connections."""
        self._pipeline.__exit__()

    def listed(self, ask: Ask, place: str) -> Iterator[Page]:
        """Read a list of Azure Resource Manager, page by page.

        Parameters
        ----------
        ask : Ask
            What to ask.
        place : str
            A subscription, or the id of a parent.

        Yields
        ------
        Page

        Raises
        ------
        FaultError
            When a page is refused, or the list ends in an odd way.
        """
        version = self._versions.of(ask)
        url = self._place.endpoint + ask.path(quote(place, safe="/"), version)
        seen, met = {url}, Met()
        while url:
            try:
                reply = _asked(partial(self._clients[ask.via].send_request, HttpRequest("GET", url))).json()
            except FaultError as fault:
                if len(seen) == 1 and self._versions.lower(ask, version, fault.versions):
                    yield from self.listed(ask, place)
                    return
                if not fault.reason.endswith(_UNREGISTERED):
                    raise
                reply = {"value": []}
            rows = rows_of(reply, ask)
            met.add(rows)
            yield Page(rows, None, version)
            url = self._next(reply, seen)

    def _next(self, reply: dict[str, Any], seen: set[str]) -> str:
        """Give the address of the next page, which must lie with Azure and be a new one."""
        link = str(reply.get("nextLink") or "").replace("{", "%7B").replace("}", "%7D")
        if not link:
            return ""
        url = beside(link, self._place.endpoint)
        if url is None:
            raise FaultError("failed", "the next page lies on another host")
        if url in seen:
            raise FaultError("failed", _CIRCLE)
        seen.add(url)
        return url

    def query(self, ask: Ask, scope: Mapping[str, object]) -> Iterator[Page]:
        """Read the answer of a Resource Graph query, page by page.

        Parameters
        ----------
        ask : Ask
            What to ask.
        scope : dict
            `subscriptions` or `managementGroups` with their ids; empty for all that the sign-in sees.

        Yields
        ------
        Page

        Raises
        ------
        FaultError
            When a page is refused, or the answer ends before its stated count.
        """
        options: dict[str, Any] = {"resultFormat": "objectArray", "$top": _PAGE_ROWS}
        options |= {"authorizationScopeFilter": ask.reach} if ask.reach else {}
        met, limited, total = Met(), False, -1
        seen: set[str] = set()
        while True:
            body = {"query": ask.query, "options": options, **scope}
            response = _asked(partial(self._post, body, ask.api_version))
            reply = response.json()
            rows, stated = checked(reply.get("data")), reply.get("totalRecords")
            total = max(total, stated) if isinstance(stated, int) else total
            limited |= str(response.headers.get(_LIMIT_HIT)).lower() == "true"
            met.add(rows)
            yield Page(rows, None if total < 0 else total, ask.api_version)
            if not (token := str(reply.get("$skipToken") or "")):
                break
            if token in seen:
                raise FaultError("failed", _CIRCLE)
            seen.add(token)
            options["$skipToken"] = token
        if met.count < total:
            raise FaultError("failed", f"the answer ended after {met.count} of {total} records")
        if str(reply.get("resultTruncated")).lower() == "true":
            raise FaultError("failed", "Resource Graph says that its answer is cut")
        if limited:
            raise FaultError("failed", "Resource Graph used the first 10,000 subscriptions only")

    def _post(self, body: dict[str, Any], api_version: str) -> Any:
        try:
            return self._graph.resources(
                cast("Any", json.dumps(body).encode()),  # bytes can be sent again, a stream would be spent
                api_version=api_version,
                cls=lambda response, _model, _headers: response.http_response,
                error_map={_UNAUTHORIZED: HttpResponseError},  # its own class is left to the sign-in
                retry_on_methods=frozenset({"GET", "POST"}),  # a query changes nothing
            )
        except (ValueError, TypeError, AttributeError, LookupError):  # the client makes a model of any reply
            raise FaultError("failed", "the reply is no answer to a query") from None


def _asked(send: Callable[[], Any]) -> Any:
    """Send a request, once more where the token has just ended, and give the reply or raise the fault."""
    for last in (False, True):
        try:
            response = send()
            if response.status_code == _UNAUTHORIZED and not last:
                continue
            response.raise_for_status()
            if response.status_code >= 300:  # noqa: PLR2004 - HTTP: a redirect, which is not followed
                raise FaultError("failed", f"HTTP {response.status_code}")
        except AzureError as error:
            if getattr(error, "status_code", None) == _UNAUTHORIZED and not _is_sign_in(error) and not last:
                continue
            raise _fault(error) from None
        if not isinstance(response.json(), dict):
            raise FaultError("failed", "the reply is no JSON object")
        return response
    raise AssertionError


def _is_sign_in(error: AzureError) -> bool:
    """Tell an error of the sign-in from a refusal by Azure, which never comes as this class here."""
    return isinstance(error, ClientAuthenticationError)


def _fault(error: AzureError) -> FaultError:
    if _is_sign_in(error):
        return FaultError("failed", "the sign-in ended", fatal=True)
    status = getattr(error, "status_code", None)
    if not status:
        words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(error).__name__.removesuffix("Error")).lower()
        return FaultError("failed", f"no whole reply ({words})")
    code, message = _said(error, "code"), _said(error, "message")
    reason = f"HTTP {status} {code if re.fullmatch(_WORD, code) else ''}".strip()
    versions = named(message) if code in REFUSED else ()
    return FaultError("denied" if status == _FORBIDDEN else "failed", reason, versions=versions)


_WORD = r"\w{1,80}"


def _said(error: Any, member: str) -> str:
    """Give what Azure says of an error: its code, or the message, which is shown nowhere."""
    try:
        said = dig(json.loads(error.response.text()), f"error.{member}")
    except (ValueError, AttributeError, AzureError):
        return ""
    return said if isinstance(said, str) else ""
