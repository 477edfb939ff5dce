"""A command of this repository as a recorded terminal session, and the session as a picture that plays."""
