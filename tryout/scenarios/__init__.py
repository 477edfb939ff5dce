"""One scenario a solution: the post's own "test the solution", as code."""
