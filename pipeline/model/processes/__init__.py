"""Built-in input processes, a module each; the interface is in `pipeline.model.inputs`."""
