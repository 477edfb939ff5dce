"""Numbers that the group of this stack and the requests to Spinnaker have in common, and no setting changes.

Both say all of them: what Spinnaker assumes for a target group that says nothing (clouddriver-aws,
UpsertAmazonLoadBalancerV2Description of https://github.com/spinnaker/spinnaker: every 10 seconds, 10 times healthy) is
not what Elastic Load Balancing assumes.
"""

PORT = 80
HEALTH_PATH = "/"
HEALTH_CODES = "200-299"
HEALTH_INTERVAL_SECONDS = 10
HEALTH_TIMEOUT_SECONDS = 5
HEALTHY_TIMES = 10
UNHEALTHY_TIMES = 2
IDLE_SECONDS = 60
ROOT_DEVICE = "/dev/xvda"
ROOT_GIB = 8
