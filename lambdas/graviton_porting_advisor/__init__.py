"""The advisor's findings as they are, the verdict on a scan, and the functions that start scans and tell of them."""
