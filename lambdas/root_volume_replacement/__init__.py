"""Functions of the solution that snapshots, replaces and cleans up root volumes.

Post: https://aws.amazon.com/blogs/compute/quick-restoration-through-replacing-the-root-volumes-of-amazon-ec2/
"""
