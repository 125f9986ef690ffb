"""Why a key or a capability was judged as it was, in words, with the number of the rule (RULES K, C, L8)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from diskenc_analysis.layers import ENCRYPTED, Facts, Layers


def reasons(facts: Facts, layers: Layers, verdicts: Mapping[str, str]) -> Iterator[str]:
    """Give the evidence of a disk's key and capabilities, beside that of its layers.

    Parameters
    ----------
    facts : mapping
        The facts of the profile.
    layers : Layers
        What was decided from them.
    verdicts : mapping
        The ten capabilities.

    Yields
    ------
    str
        One reason, with the rule that it rests on.
    """
    if facts["kind"] != "unmanaged_disk":
        yield from _key(layers, verdicts)
        yield from _scope(facts)
        yield from _contradiction(layers)
        yield from _image(facts, layers, verdicts)
        yield from _defender(facts, layers, verdicts)


def _key(layers: Layers, verdicts: Mapping[str, str]) -> Iterator[str]:
    if layers.confidential in ENCRYPTED:
        yield f"its key is that of confidential encryption: {layers.key_owner} [K1]"
    elif layers.ade == "on":
        words = {"yes": "a KEK wraps its secret", "no": "no KEK wraps its secret"}
        yield f"{words.get(layers.kek, 'whether a KEK wraps its secret was not read')} [K1]"
    elif layers.sse == "platform_and_customer":
        yield "both keys count as customer control [K1]"
    if layers.key_owner != "platform" and layers.key_store != "platform":
        store = layers.key_store.replace("_", " ")
        yield f"the key lies in: {store} [K2]"
        if verdicts["hsm"] == "unknown":
            yield "whether it is an HSM key was not read [K3]"
        elif layers.key_store != "unknown":
            found = "an HSM key" if verdicts["hsm"] == "yes" else "no HSM key"
            yield f"by its store and type it is {found} [K3]"


def _scope(facts: Facts) -> Iterator[str]:
    if facts["attachment"] == "unattached":
        yield "what is asked of attached disks does not apply [C2]"
        return
    if facts["attachment"] == "unknown":
        yield "what is asked of attached disks is unknown, since attachment is [C2]"
    if facts["sku_class"] == "uncached":
        yield "its type has no host cache [C5]"
    elif facts["caching"] == "none":
        yield "host caching is None [C5]"
    elif facts["caching"] == "unclear":
        several = facts["host_states"].count("+") > 1
        why = "None is not stated by all of its VMs" if several else "is no word that is known"
        yield f"host caching {why}: caches may not apply [C5{', C6' if several else ''}]"
    elif facts["caching"] == "unstated" and facts["kind"] == "managed_disk":
        yield "host caching is not stated: judged as cached [C5]"
    if facts["host_states"].count("+") > 1:
        yield "caches and data flow have to hold on all of its VMs [C6]"
    if facts["kind"] == "ephemeral_os_disk":
        yield "judged as the local disk that it lies on [C9]"


def _contradiction(layers: Layers) -> Iterator[str]:
    if layers.conflicts:
        yield "its data contradicts itself: where the readings differ the answer is unknown [L8]"


def _image(facts: Facts, layers: Layers, verdicts: Mapping[str, str]) -> Iterator[str]:
    if facts["role"] == "os" and facts["attachment"] == "attached" and layers.ade in ("on", "unknown"):
        image = {"custom": "a custom image", "platform": "a marketplace image"}
        system = facts["os"] if facts["os"] != "unknown" else "unknown system"
        origin = image.get(facts["image"], "an image of unknown origin")
        yield f"Azure Disk Encryption on {origin}, {system}: {verdicts['custom_images']} [C7]"


def _defender(facts: Facts, layers: Layers, verdicts: Mapping[str, str]) -> Iterator[str]:
    if facts["attachment"] != "attached":
        return
    status = verdicts["defender_status"]
    why = {
        "NotApplicable": "a confidential VM",
        "Healthy": "encryption at host, or Azure Disk Encryption on all of the VM's disks",
        "Unhealthy": "neither encryption at host nor Azure Disk Encryption on all of the VM's disks",
    }
    if status in why and not (layers.host == "unknown" and status == "Healthy"):
        yield f"Defender status by the matrix is {status}: {why[status]} [C11]"
