"""Input processes, a module each; `pipeline.model.inputs` says what a process consists of."""
