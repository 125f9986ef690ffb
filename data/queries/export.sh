#!/usr/bin/env bash
# Export what the analysis reads, with the Azure CLI and its extension resource-graph (az extension add -n resource-graph).
# Usage: export.sh [FOLDER]    The folder's date tells when the export was made.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
out=${1:-exports/$(date -u +%F)}
mkdir -p "$out"

# Resource Graph: every page of every query. A reply that is not the last one names the next in skip_token.
for query in "$here"/*.kql; do
  name=$(basename "$query" .kql)
  [ "$name" != virtual_machines ] || continue
  page=1 token=
  while :; do
    file=$(printf '%s/%s-%04d.json' "$out" "$name" "$page")
    az graph query --graph-query "@$query" --first 1000 ${token:+--skip-token "$token"} --output json > "$file"
    token=$(sed -n 's/^ *"skip_token": "\(.*\)",\{0,1\}$/\1/p' "$file")
    [ -n "$token" ] || break
    page=$((page + 1))
  done
done

# What Resource Graph does not hold: sizes, VMs with the disks that their guests report, keys.
az vm list-skus --resource-type virtualMachines --all --output json > "$out/vm_sizes.json"
for subscription in $(az account list --query '[].id' --output tsv); do
  ids=$(az vm list --subscription "$subscription" --query '[].id' --output tsv)
  if [ -n "$ids" ]; then
    # shellcheck disable=SC2086 # one argument per id
    az vm get-instance-view --ids $ids --output json > "$out/virtual_machines-$subscription.json"
  fi
  for kind in vault hsm; do
    for store in $(az keyvault list --resource-type $kind --subscription "$subscription" --query '[].name' --output tsv); do
      option=--vault-name file="$out/keys-$store.json"
      [ $kind = vault ] || option=--hsm-name file="$out/hsm_keys-$store.json"
      keys=$(az keyvault key list $option "$store" --query '[].kid' --output tsv) || {
        echo "the keys of $store could not be read" >&2
        continue
      }
      for key in $keys; do
        az keyvault key show --id "$key" --output json
      done > "$file"
      [ -s "$file" ] || rm "$file"
    done
  done
done
