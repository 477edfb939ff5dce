"""Functions of the solution that runs an Auto Scaling group on Spot Instances.

Post: https://aws.amazon.com/blogs/compute/best-practices-to-optimize-your-amazon-ec2-spot-instances-usage/
"""
