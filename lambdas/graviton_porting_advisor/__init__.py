"""The advisor's findings, the verdict on a scan, and the functions that start scans and report them."""
