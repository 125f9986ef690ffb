"""Where Azure is, and who signs in to it."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import Any

from azure.core import AzureClouds
from azure.core.exceptions import AzureError
from azure.identity import AzureAuthorityHosts, DefaultAzureCredential
from azure.mgmt.core.tools import get_arm_endpoints

from diskenc_analysis.errors import ParameterError, SignInError, UnknownNameError

#: Azure's clouds, each with the SDK's name for it and the host that signs in.
CLOUDS = {
    "public": (AzureClouds.AZURE_PUBLIC_CLOUD, AzureAuthorityHosts.AZURE_PUBLIC_CLOUD),
    "usgovernment": (AzureClouds.AZURE_US_GOVERNMENT, AzureAuthorityHosts.AZURE_GOVERNMENT),
    "china": (AzureClouds.AZURE_CHINA_CLOUD, AzureAuthorityHosts.AZURE_CHINA),
}


@dataclass(frozen=True)
class Place:
    """Where Azure is.

    Attributes
    ----------
    endpoint : str
        Address of Azure Resource Manager.
    scope : str
        What a token is asked for.
    authority : str
        Host that signs in; empty for the cloud's own.
    """

    endpoint: str
    scope: str
    authority: str

    @classmethod
    def of(cls, cloud: str = "public", arm_endpoint: str = "", authority: str = "") -> Place:
        """Find the addresses of a cloud.

        Parameters
        ----------
        cloud : {"public", "usgovernment", "china"}
            One of Azure's clouds.
        arm_endpoint, authority : str
            Addresses that go before the cloud's own.

        Returns
        -------
        Place

        Raises
        ------
        UnknownNameError
            When the cloud is unknown.
        ParameterError
            When an address does not begin with `https://`.

        Examples
        --------
        >>> Place.of("china").endpoint
        'https://management.chinacloudapi.cn'
        """
        if cloud not in CLOUDS:
            raise UnknownNameError.of("cloud", cloud, CLOUDS)
        for name, address in (("--arm-endpoint", arm_endpoint), ("--authority", authority)):
            if address and not address.startswith("https://"):
                raise ParameterError(
                    f"{name}: expected an address that begins with https://, got {address!r}"
                )
        if arm_endpoint:
            endpoint = arm_endpoint.rstrip("/")
            return cls(endpoint, f"{endpoint}/.default", authority)
        known = get_arm_endpoints(CLOUDS[cloud][0])
        return cls(known["resource_manager"].rstrip("/"), known["credential_scopes"][0], authority)


def credential_for(place: Place, cloud: str) -> DefaultAzureCredential:
    """Give the sign-in that the machine offers: environment, managed identity, Azure CLI ...

    Parameters
    ----------
    place : Place
        Where to sign in.
    cloud : str
        The cloud whose host signs in, unless the place names another.

    Returns
    -------
    DefaultAzureCredential
    """
    if place.authority:  # a host that Entra's own list of hosts does not know
        return DefaultAzureCredential(authority=place.authority, disable_instance_discovery=True)
    if cloud == "public":
        return DefaultAzureCredential()  # which also reads AZURE_AUTHORITY_HOST
    return DefaultAzureCredential(authority=CLOUDS[cloud][1])


def who(credential: Any, place: Place) -> tuple[str | None, str | None]:
    """Sign in, and say who did.

    Parameters
    ----------
    credential : azure.core.credentials.TokenCredential
        Who reads.
    place : Place
        Where Azure is.

    Returns
    -------
    tuple of str or None
        The tenant and the object id, as the token states them; None where it does not.

    Raises
    ------
    SignInError
        When no sign-in works.
    """
    try:
        token = credential.get_token(place.scope).token
    except AzureError as error:
        first = str(error).strip().split("\n", maxsplit=1)[0]
        raise SignInError(f"could not sign in to Azure: {first}") from None
    claims = _claims(token)
    return claims.get("tid"), claims.get("oid")


def _claims(token: str) -> dict[str, Any]:
    """Read what a token says of itself; it is not checked, since it came from the authority itself."""
    try:
        part = token.split(".")[1]
        found = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (IndexError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
