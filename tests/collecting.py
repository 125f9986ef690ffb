"""Collections from the stand-in of Azure, and what was left unread, for the tests of `collect`."""

from __future__ import annotations

from diskenc_analysis.live import Scope, run


def collector(azure, out, retries):
    """Give a call that collects into a folder."""

    def call(retries=retries, resume=False, jobs=8, **scope):
        where = Scope(**scope, arm_endpoint=azure.url, authority=azure.url)
        return run(out, where, retries=retries, resume=resume, jobs=jobs)

    return call


def unread(outcome):
    """Give status and reason of each part that is not complete, by name and key."""
    return {(p.name, p.key): (p.status, p.reason) for p in outcome.parts if p.status != "complete"}
