"""Who could download a disk: its network policy, private link and sign-in, and a link that is out now."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import narwhals as nw

from diskenc_analysis.coverage import coverage
from diskenc_analysis.frames import (
    BAR,
    Frame,
    choose,
    distinct,
    doubted,
    fresh,
    helper,
    kept,
    key_of,
    lazy,
    low,
    native_like,
    profile,
    unless_doubted,
    words,
)

if TYPE_CHECKING:
    from diskenc_analysis.inventory import Inventory

_PLACE = ("subscription_id", "subscription_name", "resource_group")
_JUDGED = ("network", "link", "sign_in", "exposure", "reason")
#: The columns of the frame, in order.
COLUMNS = ("disk_id", "name", "kind", "attachment", *_PLACE, *_JUDGED)
#: What may come of it, the worst first.
EXPOSURES = ("link_out", "public", "unknown", "private", "closed", "not_applicable")
_POLICIES = {"allowall": "all", "allowprivate": "private", "denyall": "none"}


def _word(column: str, meanings: Mapping[str, str]) -> nw.Expr:
    return unless_doubted(words(column, meanings, "unknown", "absent"), "unknown", column)


#: The facts of a disk or snapshot that decide, by name.
ACCESS_FACTS: dict[str, nw.Expr] = {
    "policy": _word("network_access_policy", _POLICIES),
    "public": _word("public_network_access", {"enabled": "on", "disabled": "off"}),
    "auth": _word("data_access_auth_mode", {"azureactivedirectory": "entra", "none": "none"}),
    "state": choose(
        [
            (doubted("disk_state") | (low("disk_state") == ""), "unknown"),
            (low("disk_state").str.starts_with("activesas"), "sas"),
        ],
        "other",
    ),
    "access": nw.col("access").fill_null("unread"),
}


def access_facts(inv: Inventory) -> Frame:
    """Give what managed disks and snapshots say of their export.

    Parameters
    ----------
    inv : Inventory
        With `disks`, `snapshots` and `disk_accesses`.

    Returns
    -------
    Frame
        `key` and the columns of `ACCESS_FACTS`.
    """
    connected = low("connections").str.replace_all(r"\s", "").str.contains('"status":"approved"')
    links = lazy(inv.disk_accesses).select(
        disk_access_id_key=nw.col("key"),
        access=choose([(doubted("connections"), "unread"), (connected, "connected")], "unconnected"),
    )
    columns = ("key", "doubt", "network_access_policy", "public_network_access", "data_access_auth_mode")
    more = ("disk_state", "disk_access_id_key")
    rows = [lazy(frame).select(*columns, *more) for frame in (inv.disks, inv.snapshots)]
    joined = nw.concat(rows, how="vertical").join(links, on="disk_access_id_key", how="left")
    return joined.with_columns(**ACCESS_FACTS).select("key", *ACCESS_FACTS)


def exposure(inv: Inventory, cov: Any = None) -> Any:
    """Say of each disk who could download it.

    Parameters
    ----------
    inv : Inventory
        As `load` gives it.
    cov : frame, optional
        Its coverage frame; worked out where it is not given.

    Returns
    -------
    frame
        Of the inventory's engine, one row per row of the coverage, text throughout. `network` is where a
        download link would work (`public`, `private`, `none`, `unknown`), `link` whether one is out
        (`active`, `none`, `unknown`), `sign_in` whether it asks for an Entra sign-in (`required`,
        `not_required`, `unknown`), and `exposure` one of `EXPOSURES` with its `reason`.

    Examples
    --------
    >>> from diskenc_analysis import load, sample_path
    >>> found = exposure(load(sample_path()))
    >>> sorted(set(found["exposure"]))
    ['link_out', 'not_applicable', 'public', 'unknown']
    """
    native = coverage(inv) if cov is None else cov
    rows = lazy(native).with_columns(key=key_of("disk_id")).join(access_facts(inv), on="key", how="left")
    rows = rows.with_columns(judged=profile(list(ACCESS_FACTS)))
    rows = kept(inv, rows.select(*[c for c in COLUMNS if c not in _JUDGED], "judged"), "exposure_rows")
    made = [judge_access(text) | {"judged": text} for text in distinct(rows, "judged")]
    out = rows.join(helper(inv, "exposure_words", made, ["judged", *_JUDGED]), on="judged", how="left")
    out = fresh(inv, out.select(*COLUMNS).sort("disk_id"), "exposure")
    return native_like(native, out)


def judge_access(text: str) -> dict[str, str]:
    """Judge one combination of the facts of `ACCESS_FACTS`, joined by bars; all empty where no disk was read.

    Examples
    --------
    >>> judge_access("all|on|absent|other|unread")["exposure"]
    'public'
    """
    facts = dict(zip(ACCESS_FACTS, text.split(BAR), strict=True))
    if not facts["policy"]:
        nothing = dict.fromkeys(("network", "link", "sign_in", "exposure"), "not_applicable")
        return nothing | {"reason": "no managed disk that Azure could export, or it is not in the inventory"}
    network = network_of(facts)
    link = {"sas": "active", "other": "none"}.get(facts["state"], "unknown")
    found = {"network": network, "link": link, "sign_in": sign_in_of(facts)}
    return found | {"exposure": _exposure(network, link), "reason": "; ".join(_reasons(facts, found))}


def sign_in_of(facts: Mapping[str, str]) -> str:
    """Say whether a download link asks for a sign-in.

    Where nothing is stated none is asked for, but an api too old for the field says nothing of it: one that
    does not state the public access, a field that is older still, tells nothing.

    Examples
    --------
    >>> sign_in_of({"auth": "absent", "public": "on"}), sign_in_of({"auth": "absent", "public": "absent"})
    ('not_required', 'unknown')
    """
    if facts["auth"] == "absent":
        return "not_required" if facts["public"] in ("on", "off") else "unknown"
    return {"entra": "required", "none": "not_required"}.get(facts["auth"], "unknown")


def network_of(facts: Mapping[str, str]) -> str:
    """Say where a download link would work.

    Examples
    --------
    >>> network_of({"policy": "all", "public": "off"}), network_of({"policy": "all", "public": "absent"})
    ('none', 'unknown')
    """
    if facts["policy"] in ("none", "private"):
        return facts["policy"]
    if facts["public"] == "off" and facts["policy"] == "all":
        return "none"  # not by the internet, and no private link either
    return "public" if (facts["policy"], facts["public"]) == ("all", "on") else "unknown"


def _exposure(network: str, link: str) -> str:
    if link == "active" and network != "none":
        return "link_out"
    return {"none": "closed"}.get(network, network)


_WHERE = {
    "public": "a download link works from any network",
    "private": "a download link works through a private endpoint alone",
    "none": "no download link works",
    "unknown": "the network policy is not stated (an older api, or a word that no rule knows)",
}
_OUT = {"active": "a link is out now", "unknown": "whether a link is out was not read"}
_SIGN = {
    "required": "it asks for a sign-in besides",
    "not_required": "whoever holds a link needs no sign-in",
    "unknown": "whether it asks for a sign-in was not read",
}
_ACCESS = {
    "connected": "its disk access has an approved private endpoint",
    "unconnected": "its disk access has no approved private endpoint",
    "unread": "its disk access was not read",
}


def _reasons(facts: Mapping[str, str], found: Mapping[str, str]) -> list[str]:
    said = [_WHERE[found["network"]], _OUT.get(found["link"], "")]
    if found["network"] != "none":
        said.append(_SIGN[found["sign_in"]])
    if found["network"] == "private":
        said.append(_ACCESS[facts["access"]])
    return [text for text in said if text]
