"""Functions of image_pipelines."""
