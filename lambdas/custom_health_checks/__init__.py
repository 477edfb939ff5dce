"""Functions of the solution that lets instances of a group into service only when checks of your own have passed.

Post: https://aws.amazon.com/blogs/compute/how-to-create-custom-health-checks-for-your-amazon-ec2-auto-scaling-fleet/
"""
