"""Watch: counts the hosts on which Credential Guard does not run, and those that are silent."""
