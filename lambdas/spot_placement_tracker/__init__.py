"""Functions of the solution that follows Spot placement scores over time.

Post: https://aws.amazon.com/blogs/compute/optimizing-amazon-ec2-spot-instances-with-spot-placement-scores/
"""
