"""Health check numbers that this stack's group and the requests to Spinnaker share; no setting changes them.

Both set all of them, because Spinnaker's defaults for a target group (clouddriver-aws,
UpsertAmazonLoadBalancerV2Description of https://github.com/spinnaker/spinnaker: every 10 seconds, 10 times healthy)
differ from those of Elastic Load Balancing.
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
