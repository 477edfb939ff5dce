"""Seed: the parameter of a pipeline's newest image, before there is one and after the pipeline is gone."""
