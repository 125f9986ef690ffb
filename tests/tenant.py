"""A tenant of three subscriptions alike, small enough to count by hand; the stand-in of Azure serves it.

Each has 5 disks, 2 VMs, a Uniform scale set with 3 instances, a Flexible one, a gallery with an image of
2 versions, a restore point collection with a point of 1 disk, and a vault with 2 keys.
"""

from __future__ import annotations

SUBSCRIPTIONS = [f"{n}0000000-0000-4000-8000-000000000000" for n in (1, 2, 3)]
PLATFORM = {"type": "EncryptionAtRestWithPlatformKey"}
#: Rows of each type in each subscription.
EACH = {
    "microsoft.compute/disks": 5,
    "microsoft.compute/virtualmachines": 2,
    "microsoft.compute/virtualmachinescalesets": 2,
    "microsoft.compute/virtualmachinescalesets/virtualmachines": 3,
    "microsoft.compute/galleries/images/versions": 2,
    "microsoft.compute/restorepointcollections/restorepoints/diskrestorepoints": 1,
    "microsoft.keyvault/vaults": 1,
    "microsoft.keyvault/vaults/keys": 2,
}


def resource(sub, path, **members):
    """Give an ARM resource, whose type follows from its path."""
    names = path.split("/")
    return {
        "id": f"/subscriptions/{sub}/resourceGroups/RG/providers/{path}",
        "name": names[-1],
        "type": "/".join([names[0], *names[1::2]]),
        "location": "westeurope",
        **members,
    }


def subscription(sub):
    members = {"subscriptionId": sub, "displayName": f"sub {sub[0]}", "tenantId": "t", "state": "Enabled"}
    return {"id": f"/subscriptions/{sub}", "type": "Microsoft.Resources/subscriptions", **members}


def rows_of(sub):
    compute, points = "Microsoft.Compute", "Microsoft.Compute/restorePointCollections/c"
    sets = f"{compute}/virtualMachineScaleSets"
    yield subscription(sub)
    for n in range(5):
        yield resource(
            sub, f"{compute}/disks/d{n}", properties={"encryption": PLATFORM, "diskState": "Unattached"}
        )
    for n in range(2):
        yield resource(sub, f"{compute}/virtualMachines/v{n}", properties={"provisioningState": "Succeeded"})
    yield resource(sub, f"{sets}/uniform", properties={"orchestrationMode": "Uniform"})
    yield resource(sub, f"{sets}/flexible", properties={"orchestrationMode": "Flexible"})
    for n in range(3):
        yield resource(sub, f"{sets}/uniform/virtualMachines/{n}", properties={"latestModelApplied": True})
    yield resource(sub, f"{compute}/galleries/g")
    yield resource(sub, f"{compute}/galleries/g/images/i")
    for n in range(2):
        yield resource(sub, f"{compute}/galleries/g/images/i/versions/1.0.{n}", properties={})
    yield resource(sub, points)
    yield resource(sub, f"{points}/restorePoints/p")
    yield resource(sub, f"{points}/restorePoints/p/diskRestorePoints/d0", properties={"encryption": PLATFORM})
    vault = f"Microsoft.KeyVault/vaults/kv{sub[0]}"
    yield resource(sub, vault, properties={"sku": {"name": "premium"}})
    for n in range(2):
        yield resource(sub, f"{vault}/keys/k{n}", properties={"kty": "RSA-HSM", "attributes": {}})


def size(name):
    capability = {"name": "EncryptionAtHostSupported", "value": "True"}
    return {
        "resourceType": "virtualMachines",
        "name": name,
        "locations": ["westeurope"],
        "capabilities": [capability],
    }


ROWS = [row for sub in SUBSCRIPTIONS for row in rows_of(sub)] + [
    size("Standard_D2s_v3"),
    size("Standard_D2s_v5"),
]
