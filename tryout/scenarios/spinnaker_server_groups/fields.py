"""The fields of each job. Spinnaker ignores an unknown field; here it is refused, because it must be a mistake.

https://github.com/spinnaker/spinnaker, branch release-2026.2.x, the classes that each comment names.
"""

# clouddriver-aws: BasicAmazonDeployDescription, without the fields for Netflix's EC2-Classic networks.
DEPLOY = {
    "amiName", "application", "associateIPv6Address", "associatePublicIpAddress", "availabilityZones", "base64UserData",
    "blockDevices", "capacity", "capacityRebalance", "cooldown", "ebsOptimized", "enableEnclave", "enabledMetrics",
    "freeFormDetails", "healthCheckGracePeriod", "healthCheckType", "iamRole", "instanceMonitoring", "instanceType",
    "keyPair", "launchTemplateOverridesForInstanceType", "licenseSpecifications", "lifecycleHooks",
    "onDemandAllocationStrategy", "onDemandBaseCapacity", "onDemandPercentageAboveBaseCapacity", "placement",
    "requireIMDSv2", "securityGroups", "setLaunchTemplate", "spotAllocationStrategy", "spotInstancePools", "stack",
    "subnetIds", "subnetType", "suspendedProcesses", "tags", "targetGroups", "terminationPolicies",
    "unlimitedCpuCredits", "useAmiBlockDeviceMappings",
}  # fmt: skip
# ModifyServerGroupLaunchTemplateDescription.
MODIFY = {
    "amiName", "asgName", "associateIPv6Address", "associatePublicIpAddress", "base64UserData", "blockDevices",
    "copySourceCustomBlockDeviceMappings", "ebsOptimized", "enableEnclave", "iamRole", "imageId", "instanceMonitoring",
    "instanceType", "keyPair", "launchTemplateOverridesForInstanceType", "onDemandAllocationStrategy",
    "onDemandBaseCapacity", "onDemandPercentageAboveBaseCapacity", "requireIMDV2", "securityGroups",
    "securityGroupsAppendOnly", "spotAllocationStrategy", "spotInstancePools", "spotPrice", "subnetType",
    "unlimitedCpuCredits",
}  # fmt: skip
# UpsertAmazonLoadBalancerV2Description and its TargetGroup, Attributes, Listener and Action.
BALANCER = {
    "deletionProtection", "idleTimeout", "ipAddressType", "isInternal", "listeners", "loadBalancerType",
    "loadBalancingCrossZone", "name", "regionZones", "securityGroups", "subnetType", "targetGroups", "vpcId",
}  # fmt: skip
TARGET_GROUP = {
    "attributes", "healthCheckInterval", "healthCheckMatcher", "healthCheckPath", "healthCheckPort",
    "healthCheckProtocol", "healthCheckTimeout", "healthyThreshold", "name", "port", "protocol", "targetType",
    "unhealthyThreshold",
}  # fmt: skip
ATTRIBUTES = {"deregistrationDelay", "stickinessDuration", "stickinessEnabled", "stickinessType"}
LISTENER = {"certificates", "defaultActions", "port", "protocol", "rules", "sslPolicy"}
# AmazonBlockDevice; `size` and the others in its builder.
BLOCK_DEVICE = {
    "deleteOnTermination", "deviceName", "encrypted", "iops", "kmsKeyId", "size", "snapshotId", "throughput",
    "virtualName", "volumeType",
}  # fmt: skip
DELETE_BALANCER = {"loadBalancerName", "loadBalancerType", "regions", "vpcId"}
ON_A_GROUP = {"asgName", "moniker", "reason", "serverGroupName"}
APPLICATION = {"cloudProviders", "email", "instancePort", "name", "providerSettings"}
EVERYWHERE = {"account", "cloudProvider", "credentials", "region", "type"}
