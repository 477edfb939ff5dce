"""From what was discovered to the bodies of dashboards: pure, and the same bytes for the same discovery.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
"""
