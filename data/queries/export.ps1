# Export what the analysis reads, with PowerShell and its modules Az.ResourceGraph, Az.Compute, Az.Accounts and Az.KeyVault.
# Usage: ./export.ps1 [-Out FOLDER]    The folder's date tells when the export was made.
param([string] $Out = "exports/$((Get-Date).ToUniversalTime().ToString('yyyy-MM-dd'))")
$ErrorActionPreference = 'Stop'
New-Item -ItemType Directory -Force -Path $Out | Out-Null

# Without -Depth, ConvertTo-Json prints class names in place of objects, and what they held is lost.
function Save-Lines($Rows, $Name) {
  $lines = $Rows | ForEach-Object { ConvertTo-Json -InputObject $_ -Depth 100 -Compress }
  if ($lines) { [IO.File]::WriteAllLines((Join-Path (Resolve-Path $Out) "$Name.jsonl"), [string[]] $lines) }
}

# Without its times a key would seem to have none; and not every PowerShell prints times as ISO.
function Get-Moment($Time) { if ($Time) { $Time.ToUniversalTime().ToString('yyyy-MM-ddTHH:mm:ssZ') } }

function Get-KeyRow($Key) {
  $attributes = @{ enabled = $Key.Enabled; notBefore = Get-Moment $Key.NotBefore; expires = Get-Moment $Key.Expires; created = Get-Moment $Key.Created }
  @{ kid = $Key.Id; kty = "$($Key.KeyType)"; attributes = $attributes }
}

foreach ($query in Get-ChildItem -Path $PSScriptRoot -Filter *.kql | Where-Object BaseName -ne 'virtual_machines') {
  $text = Get-Content -Raw -Path $query.FullName
  $rows = @()
  $token = $null
  do {
    $options = @{ Query = $text; First = 1000 }
    if ($token) { $options.SkipToken = $token }
    $reply = Search-AzGraph @options
    $rows += $reply.Data
    $token = $reply.SkipToken
  } while ($token)
  Save-Lines $rows $query.BaseName
}

# What Resource Graph does not hold: sizes, VMs with the disks that their guests report, keys.
Save-Lines (Get-AzComputeResourceSku | Where-Object ResourceType -eq 'virtualMachines') 'vm_sizes'
foreach ($subscription in Get-AzSubscription) {
  Set-AzContext -SubscriptionId $subscription.Id | Out-Null
  $path = "/subscriptions/$($subscription.Id)/providers/Microsoft.Compute/virtualMachines?api-version=2024-07-01&`$expand=instanceView"
  $rows = @()
  while ($path) {
    $page = (Invoke-AzRestMethod -Method GET -Path $path).Content | ConvertFrom-Json
    $rows += $page.value
    $path = if ($page.nextLink) { ([Uri] $page.nextLink).PathAndQuery }
  }
  Save-Lines $rows "virtual_machines-$($subscription.Id)"
  foreach ($vault in Get-AzKeyVault) {
    $name = $vault.VaultName
    $keys = Get-AzKeyVaultKey -VaultName $name | ForEach-Object { Get-AzKeyVaultKey -VaultName $name -Name $_.Name }
    Save-Lines ($keys | ForEach-Object { Get-KeyRow $_ }) "keys-$name"
  }
  foreach ($hsm in Get-AzKeyVaultManagedHsm) {
    $name = ($hsm.ResourceId -split '/')[-1]
    $keys = Get-AzKeyVaultKey -HsmName $name | ForEach-Object { Get-AzKeyVaultKey -HsmName $name -Name $_.Name }
    Save-Lines ($keys | ForEach-Object { Get-KeyRow $_ }) "hsm_keys-$name"
  }
}
