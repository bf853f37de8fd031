"""What the measurements share: processes and their cost, the targets, the generators, and the figures."""
