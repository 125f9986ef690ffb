-- The job of `diskenc coverage --by subscription_name`, written by hand for the shapes of the sample tenant
-- alone: no ledger, no evidence, no conflicts, no other spelling, no second edition. {dir} is the export.
WITH d AS (
  SELECT lower(id) AS k, lower(managedBy) AS vm, split_part(lower(id), '/', 3) AS sub,
    sku.name AS sku, properties.encryption.type AS et, lower(properties.encryption.diskEncryptionSetId) AS des,
    properties.encryptionSettingsCollection.enabled AS ade,
    properties.encryptionSettingsCollection.encryptionSettings[1].keyEncryptionKey.keyUrl AS kek,
    properties.securityProfile.securityType AS st,
    lower(properties.securityProfile.secureVMDiskEncryptionSetId) AS sdes
  FROM read_json('{dir}/disks.jsonl', format = 'newline_delimited', columns = {
    id: 'VARCHAR', managedBy: 'VARCHAR', sku: 'STRUCT(name VARCHAR)',
    properties: 'STRUCT(encryption STRUCT("type" VARCHAR, diskEncryptionSetId VARCHAR),
      encryptionSettingsCollection STRUCT(enabled BOOLEAN, encryptionSettings STRUCT(keyEncryptionKey STRUCT(keyUrl VARCHAR))[]),
      securityProfile STRUCT(securityType VARCHAR, secureVMDiskEncryptionSetId VARCHAR))'})
), v AS (
  SELECT lower(id) AS k, coalesce(properties.securityProfile.encryptionAtHost, false) AS host,
    coalesce(properties.securityProfile.securityType, '') AS kind, lower(properties.hardwareProfile.vmSize) AS size,
    properties.storageProfile AS s
  FROM read_json(['{dir}/virtual_machines.jsonl', '{dir}/scale_set_vms.jsonl'], format = 'newline_delimited', columns = {
    id: 'VARCHAR', properties: 'STRUCT(hardwareProfile STRUCT(vmSize VARCHAR),
      securityProfile STRUCT(encryptionAtHost BOOLEAN, securityType VARCHAR),
      storageProfile STRUCT(imageReference STRUCT(publisher VARCHAR, id VARCHAR),
        osDisk STRUCT(osType VARCHAR, caching VARCHAR, managedDisk STRUCT(id VARCHAR)),
        dataDisks STRUCT(caching VARCHAR, managedDisk STRUCT(id VARCHAR))[]))'})
), l AS (
  SELECT lower(s.osDisk.managedDisk.id) AS k, s.osDisk.caching AS caching, 'os' AS role FROM v
  UNION ALL
  SELECT lower(u.managedDisk.id), u.caching, 'data' FROM (SELECT unnest(s.dataDisks) AS u FROM v)
), x AS (
  SELECT regexp_replace(lower(id), '/extensions/[^/]*$', '') AS vm, max(lower(properties.settings.VolumeType)) AS volume,
    max(lower(properties.settings.EncryptionOperation)) AS operation
  FROM read_json('{dir}/extensions.jsonl', format = 'newline_delimited', columns = {
    id: 'VARCHAR', properties: 'STRUCT(settings STRUCT(VolumeType VARCHAR, EncryptionOperation VARCHAR))'})
  GROUP BY ALL
), s AS (
  SELECT lower(id) AS k, regexp_extract(lower(properties.activeKey.keyUrl), '://([^/:]+)', 1) AS host,
    regexp_replace(lower(properties.activeKey.keyUrl), '/[^/]*$', '') AS key
  FROM read_json('{dir}/disk_encryption_sets.jsonl', format = 'newline_delimited', columns = {
    id: 'VARCHAR', properties: 'STRUCT(activeKey STRUCT(keyUrl VARCHAR))'})
), h AS (
  SELECT DISTINCT regexp_replace(lower(properties.keyUriWithVersion), '/[^/]*$', '') AS key
  FROM read_json('{dir}/keys.jsonl', format = 'newline_delimited', columns = {
    properties: 'STRUCT(keyUriWithVersion VARCHAR, kty VARCHAR)'}) WHERE properties.kty LIKE '%-HSM'
), n AS (
  SELECT lower(subscriptionId) AS sub, displayName AS name
  FROM read_json('{dir}/subscriptions.jsonl', format = 'newline_delimited', columns = {
    subscriptionId: 'VARCHAR', displayName: 'VARCHAR'})
), j AS (
  SELECT coalesce(n.name, d.sub) AS name, d.vm, d.k, v.k IS NULL AS unseen, coalesce(d.ade, false) AS ade, d.kek, v.host,
    d.st LIKE 'ConfidentialVM_DiskEncrypted%' AS cvm, d.st, d.et, d.sku, l.caching, l.role, v.kind, v.size,
    coalesce(x.volume, '') AS volume, coalesce(x.operation, '') AS operation, v.s.imageReference.publisher AS publisher,
    v.s.osDisk.osType AS os, s.host LIKE '%.managedhsm.%' OR h.key IS NOT NULL AS in_hsm, d.et LIKE '%Customer%' AS cmk
  FROM d LEFT JOIN v ON d.vm = v.k LEFT JOIN l ON d.k = l.k LEFT JOIN x ON d.vm = x.vm
    LEFT JOIN s ON coalesce(d.sdes, d.des) = s.k LEFT JOIN h ON s.key = h.key LEFT JOIN n ON d.sub = n.sub
), c AS (
  SELECT name, vm, 'yes' AS at_rest,
    CASE WHEN vm IS NULL THEN 'not_applicable' WHEN unseen THEN 'unknown'
      WHEN NOT regexp_matches(size, '^standard_[a-z]+\d+[a-z]*d[a-z]*_|_v[123]$') THEN 'not_applicable'
      WHEN host OR regexp_matches(size, '_v[5-9]$') THEN 'yes'
      WHEN ade AND ((os = 'Windows' AND volume = 'all') OR operation = 'enableencryptionformatall') THEN 'yes' ELSE 'no' END AS temp_disk,
    CASE WHEN vm IS NULL OR sku IN ('UltraSSD_LRS', 'PremiumV2_LRS') OR caching = 'None' THEN 'not_applicable'
      WHEN host OR ade OR cvm THEN 'yes' WHEN unseen THEN 'unknown' ELSE 'no' END AS caches,
    CASE WHEN vm IS NULL THEN 'not_applicable' WHEN host OR ade OR cvm THEN 'yes' WHEN unseen THEN 'unknown' ELSE 'no' END AS data_flow,
    CASE WHEN cmk OR kek IS NOT NULL OR st LIKE '%CustomerKey' THEN 'yes' WHEN et IS NULL THEN 'unknown' ELSE 'no' END AS customer_keys,
    CASE WHEN in_hsm THEN 'yes' WHEN cmk THEN 'unknown' ELSE 'no' END AS hsm,
    CASE WHEN vm IS NULL THEN 'not_applicable' WHEN ade OR cvm THEN 'no' ELSE 'yes' END AS no_vm_cpu,
    CASE WHEN vm IS NULL OR role = 'data' THEN 'not_applicable' WHEN ade AND os = 'Linux' AND publisher IS NULL THEN 'no' ELSE 'yes' END AS custom_images,
    CASE WHEN cvm THEN 'yes' ELSE 'no' END AS enhanced_key_protection,
    CASE WHEN vm IS NULL OR kind = 'ConfidentialVM' THEN 'not_applicable' WHEN unseen THEN 'unknown'
      WHEN host OR ade THEN 'yes' ELSE 'no' END AS defender_status
  FROM j
), t AS (
  SELECT name, vm, unnest([
    {'c': 'at_rest', 'v': at_rest}, {'c': 'temp_disk', 'v': temp_disk}, {'c': 'caches', 'v': caches}, {'c': 'data_flow', 'v': data_flow},
    {'c': 'customer_keys', 'v': customer_keys}, {'c': 'hsm', 'v': hsm}, {'c': 'no_vm_cpu', 'v': no_vm_cpu},
    {'c': 'custom_images', 'v': custom_images}, {'c': 'enhanced_key_protection', 'v': enhanced_key_protection},
    {'c': 'defender_status', 'v': defender_status}]) AS u
  FROM c
)
SELECT name, u.c AS capability, count(*) FILTER (u.v = 'yes') AS yes, count(*) FILTER (u.v = 'no') AS no,
  count(*) FILTER (u.v = 'not_applicable') AS not_applicable, count(*) FILTER (u.v = 'unknown') AS unknown
FROM t GROUP BY ALL ORDER BY ALL
